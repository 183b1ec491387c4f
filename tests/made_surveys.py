"""Survey texts on a local metre grid."""

from __future__ import annotations

E, N = 500000, 3520000
HEAD = """[属性描述]
格式版本号=1.01
数据产生单位=测绘院
坐标系=2000国家大地坐标系
几度分带=3
投影类型=高斯克吕格
计量单位=米
带号=40
精度=0.001
转换参数=,,,,,,
"""
SQUARE = [(0, 0), (100, 0), (100, 100), (0, 100)]


def corners(points, ring=1, *, prefix="J", east=E, swapped=False, start=1):
    lines = []
    for i, (x, y) in enumerate(points, start):
        pair = (f"{N + y:.3f}", f"{east + x:.3f}")
        lines.append(f"{prefix}{i},{ring},{','.join(reversed(pair) if swapped else pair)}")
    return lines


def parcel(*lines, count=None, area="1.0000", number="A-1", code=",0701", name="化工厂"):
    count = len(lines) if count is None else count
    return "\n".join([f"{count},{area},{number},{name},面,,工业用地{code},@", *lines])


def survey(folder, *parcels, head=HEAD, encoding="utf-8", title="[地块坐标]"):
    path = folder / "红线.txt"
    path.write_bytes("\n".join([head.rstrip("\n"), title, *parcels]).lstrip("\n").encode(encoding))
    return path


def only(drawing):
    assert drawing.faults == ((),)
    return drawing.geometry[0]


def faults_of(drawing):
    return [(p.row, p.message) for found in drawing.faults for p in found]
