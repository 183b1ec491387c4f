"""``ecospatial plan``: list, show, new, import, validate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecospatial.cli.root import OK, WRONG_INPUT, opened, say

if TYPE_CHECKING:
    from ecospatial.plans import Provenance


@click.group()
def plan() -> None:
    """规划：列出、查看、新建、导入图层、核对。"""


@plan.command("list")
def plan_list() -> int:
    """列出随软件提供的规划。"""
    from ecospatial.plans import list_plans

    for name in list_plans():
        click.echo(f"{name}  {opened(name).title}")
    return OK


@plan.command("show")
@click.argument("name", metavar="PLAN")
def plan_show(name: str) -> int:
    """列出规划持有、不存在和未取得的图层，以及应向谁取得。"""
    shown = opened(name)
    table = shown.layer_table()
    click.echo(f"{shown.title}（{shown.name}），{shown.crs.to_string()}，规则 {len(shown.rule_versions())} 条")
    for present, heading in (("held", "持有"), ("none", "本区不存在"), ("missing", "未取得")):
        rows = table[table["present"] == present]
        if len(rows):
            click.echo(f"\n{heading}：")
        for layer, row in rows.iterrows():
            click.echo("  " + _layer_line(str(layer), {str(key): value for key, value in row.items()}))
    return OK


def _layer_line(name: str, row: dict[str, Any]) -> str:
    from ecospatial.model import STATUS_LABELS

    if row["present"] == "missing":
        return f"{row['label']}（{row['kind']}）：请向{_text(row['publisher']) or '主管部门'}取得"
    parts = [f"{row['label']}（{name}）"]
    if row["present"] == "held":
        accuracy = row["accuracy_m"]
        parts += [
            STATUS_LABELS.get(row["status"], "状态未填写"),
            "精度未知" if accuracy != accuracy else f"±{accuracy:g} m",
        ]
    parts += [f"覆盖 {row['coverage']}", f"来源 {_text(row['publisher']) or '未填写'}"]
    if row["problem"]:
        parts.append(f"不可用：{row['problem']}")
    return "，".join(parts)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""  # an empty cell of a table is NaN


@plan.command("validate")
@click.argument("folder", metavar="DIR")
@click.option("--seal", is_flag=True, help="登记每个图层文件的 sha256")
def plan_validate(folder: str, *, seal: bool) -> int:
    """核对规划文件夹：缺什么、错什么，逐条列出。"""
    from ecospatial import plans, raster

    checked = opened(folder)
    if seal:
        for name in plans.seal(checked):
            say(f"已登记 {name}")
        checked = opened(folder)
    problems = [*checked.validate(), *raster.faults(checked)]
    for problem in problems:
        click.echo(str(problem))
    click.echo(f"{checked.name}：{len(problems)} 个问题" if problems else f"{checked.name}：没有问题")
    return WRONG_INPUT if problems else OK


@plan.command("new")
@click.argument("folder", metavar="DIR")
@click.option("--crs", required=True, metavar="CRS", help="规划的坐标系，以米为单位，如 EPSG:4549")
@click.option("--title", metavar="T", help="规划的名称，默认为文件夹名")
@click.option("--pack", "packs", multiple=True, metavar="NAME", help="随软件的规则包，可重复；默认 national")
@click.option("--district", metavar="FILE", help="行政区界文件，导入为 district 图层")
def plan_new(folder: str, *, crs: str, title: str | None, packs: tuple[str, ...], district: str | None) -> int:
    """新建规划文件夹；文件夹不空则不动它。"""
    from ecospatial import plans

    chosen = packs or ("national",)
    for line in plans.new_plan(folder, crs=crs, title=title, packs=chosen, district=district):
        click.echo(line)
    say(f"已新建 {folder}")
    return OK


@plan.command("import")
@click.argument("file", metavar="FILE")
@click.option("--kind", required=True, metavar="KIND", help="图层种类，如 control_zone")
@click.option("--plan", "folder", required=True, metavar="DIR", help="规划文件夹")
@click.option("--name", metavar="N", help="图层名，默认为种类")
@click.option("--layer", metavar="NAME", help="文件中的图层（有几个时）")
@click.option("--map", "columns", multiple=True, metavar="OURS=THEIRS", help="列的对应，可重复")
@click.option("--value", "values", multiple=True, metavar="COLUMN:THEIRS=OURS", help="取值的对应，可重复")
@click.option("--crs", metavar="CRS", help="文件的坐标系；文件自带时不必写")
@click.option("--coverage", metavar="COVERAGE", help="district、district+N、extent 或规划文件夹中的面文件")
@click.option("--accuracy", type=float, metavar="M", help="定位精度（米）")
@click.option("--status", metavar="S", help="official、public 或 schematic")
@click.option("--publisher", metavar="T", help="来源单位")
@click.option("--title", metavar="T", help="资料名称")
@click.option("--retrieved", metavar="DATE", help="取得日期")
@click.option("--licence", metavar="T", help="使用许可")
@click.option("--valid-from", metavar="DATE", help="自哪天起有效")
@click.option("--date", metavar="DATE", help="栅格：影像或数据所代表的日期")
@click.option("--classes", metavar="TABLE", help="土地覆盖：分类表 worldcover、sentinel2_scl，或 1=tree,2=crop")
@click.option("--bands", metavar="TABLE", help="影像：波段表 sentinel2_10m、sentinel2_l2a，或 red=3,nir=4")
@click.option("--replace", is_flag=True, help="替换同名的图层")
def plan_import(file: str, folder: str, kind: str, *, replace: bool, **options: Any) -> int:
    """把主管部门的文件变成规划的一个图层；没有说明的一律留空。"""
    from ecospatial import plans
    from ecospatial.model import KINDS

    keys = ("coverage", "status", "publisher", "title", "retrieved", "licence", "valid_from")
    said = plans.Provenance(accuracy_m=options["accuracy"], **{key: options[key] for key in keys})
    if kind in KINDS and KINDS[kind].shape == "raster":
        return _import_grid(file, folder, kind, said, replace=replace, **options)
    done = plans.import_layer(
        file,
        folder,
        kind,
        name=options["name"],
        file_layer=options["layer"],
        columns=dict(_pair(text, "--map", "OURS=THEIRS") for text in options["columns"]),
        values=_values(options["values"]),
        crs=options["crs"],
        provenance=said,
        replace=replace,
    )
    for line in done.lines:
        click.echo(line)
    say(f"已写入图层 {done.name}")
    return OK


def _import_grid(file: str, folder: str, kind: str, said: Provenance, *, replace: bool, **options: Any) -> int:
    from ecospatial import raster

    unused = [name for name, key in (("--layer", "layer"), ("--map", "columns"), ("--value", "values")) if options[key]]
    if unused:
        raise click.UsageError(f"{kind} 是栅格，不用 {'、'.join(unused)}")
    done = raster.import_grid(
        file,
        folder,
        kind,
        date=options["date"],
        name=options["name"],
        classes=_table(options["classes"], "--classes", "1=tree,2=crop", number_first=True),
        bands=_table(options["bands"], "--bands", "red=3,nir=4", number_first=False),
        crs=options["crs"],
        provenance=said,
        replace=replace,
    )
    for line in done.lines:
        click.echo(line)
    say(f"已写入图层 {done.name}")
    return OK


def _table(text: str | None, option: str, form: str, *, number_first: bool) -> Any:
    """Read the name of a table, or pairs of a number and a word."""
    if text is None or "=" not in text:
        return text
    found: dict[Any, Any] = {}
    for part in text.split(","):
        left, right = _pair(part, option, form)
        number, word = (left, right) if number_first else (right, left)
        if not number.removeprefix("-").isdecimal():
            raise click.UsageError(f"{option} {part} 应写成 {form}")
        found |= {int(number): word} if number_first else {word: int(number)}
    return found


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    left, sign, right = text.partition("=")
    if not (sign and left.strip() and right.strip()):
        raise click.UsageError(f"{option} {text} 应写成 {form}")
    return left.strip(), right.strip()


def _values(texts: tuple[str, ...]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for text in texts:
        form = "COLUMN:THEIRS=OURS"
        column, sign, rest = text.partition(":")
        theirs, ours = _pair(rest, "--value", form) if sign else ("", "")
        if not (column.strip() and sign):
            raise click.UsageError(f"--value {text} 应写成 {form}")
        found.setdefault(column.strip(), {})[theirs] = ours
    return found


COMMANDS = (plan,)
