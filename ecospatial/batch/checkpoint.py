"""The folder of a run: what is finished stays, nothing in it is ever half, and another run is told from this one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecospatial.batch.task import digest
from ecospatial.errors import Problem, SiteError
from ecospatial.export.parquet import DONE, FOLDER, FORMAT, RUN, SITES, VERSION, part_name, receipt, refuse_foreign

if TYPE_CHECKING:
    from ecospatial.batch.task import PartResult

_WHAT = {"sites": "地块文件", "plan": "规划", "options": "选项", "software": "软件版本"}


@dataclass(frozen=True)
class Checkpoint:
    """``findings`` in the output folder, and how a run that began there can go on."""

    out: Path
    made: bool = False  # by this run

    @property
    def home(self) -> Path:
        """Where the parts lie."""
        return self.out / FOLDER

    def told(self) -> dict[str, Any]:
        """Read what ``_run.json`` says of the run that was here; empty when there is none."""
        try:
            content = json.loads((self.home / RUN).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise SiteError(Problem(RUN, None, "文件已损坏或无法读取", "请另选输出文件夹，或加 --restart")) from error
        return content if isinstance(content, dict) else {}

    def goes_on(self, ticket: dict[str, Any]) -> bool:
        """Say whether this run began here before.

        Raises
        ------
        SiteError
            Another run is unfinished here, or the folder holds something else.
        """
        if self.home.is_dir():
            refuse_foreign(self.home)
        before = self.told()
        if before.get("fingerprint") == digest(ticket):
            return True
        if before.get("state") == "running":
            old = before.get("ticket", {})
            differ = "、".join(name for key, name in _WHAT.items() if old.get(key) != ticket[key])
            way = "请用原来的文件和选项继续，或另选输出文件夹；要放弃上次的结果请加 --restart"
            raise SiteError(Problem(RUN, None, f"上次的核查没有完成，而{differ}与上次不同，不能继续", way))
        return False

    def begin(self, ticket: dict[str, Any]) -> None:
        """Make room for a new run; what an earlier one left under these names goes."""
        self.clear()
        try:
            for folder in (self.home / SITES, self.home / DONE):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            way = "请检查输出位置是否可写，或另选一个文件夹"
            raise SiteError(Problem(self.out.name, None, "输出文件夹不能建立或写入", way)) from error
        content = {"format": FORMAT, "version": VERSION, "state": "running"} | self._signed(ticket)
        self._put(self.home / RUN, _text(content))

    def clear(self) -> None:
        """Remove what a run left: first what says that it is one, then the parts."""
        if not self.home.is_dir():
            return
        refuse_foreign(self.home)
        (self.home / RUN).unlink(missing_ok=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def leave_nothing(self) -> None:
        """Remove what this run wrote, because its input can not be used."""
        self.clear()
        if self.made and self.out.is_dir() and not any(self.out.iterdir()):
            self.out.rmdir()

    def receipts(self) -> dict[int, dict[str, Any]]:
        """Give what is finished and whole, by number; what a killed run left half is removed."""
        for left in self.home.rglob(".part-*"):
            left.unlink(missing_ok=True)
        before = self.told()
        found = {_number(entry["part"]): entry for entry in before.get("parts", [])}
        for path in sorted((self.home / DONE).glob("*.json")):
            entry = json.loads(path.read_text(encoding="utf-8"))
            found[_number(entry["part"])] = entry
        return {number: entry for number, entry in sorted(found.items()) if self._whole(entry)}

    def _whole(self, entry: dict[str, Any]) -> bool:
        for path, key in ((self.home / entry["part"], "sha256"), (self.home / SITES / entry["part"], "sites_sha256")):
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != entry[key]:
                return False
        return True

    def keep(self, part: PartResult) -> dict[str, Any]:
        """Write a finished part: its files first, then the receipt that makes it count."""
        name = part_name(part.number)
        entry = receipt(part.number, part.files, part.counts)
        entry |= {"notices": part.notices, "skipped": part.skipped}
        self._put(self.home / SITES / name, part.files[1])
        self._put(self.home / name, part.files[0])
        self._put(self.home / DONE / f"{Path(name).stem}.json", _text(entry))
        return entry

    def finish(self, text: str, ticket: dict[str, Any]) -> None:
        """Say that the run is whole."""
        self._put(self.home / RUN, _text(json.loads(text) | self._signed(ticket)))
        shutil.rmtree(self.home / DONE, ignore_errors=True)

    @staticmethod
    def _signed(ticket: dict[str, Any]) -> dict[str, Any]:
        return {"fingerprint": digest(ticket), "ticket": ticket}

    @staticmethod
    def _put(target: Path, content: bytes) -> None:
        """Write a file under another name and rename it once the disk has all of it."""
        temporary = target.with_name(f".part-{os.getpid()}-{target.name}")
        try:
            target.parent.mkdir(exist_ok=True)
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            way = "请检查磁盘空间和权限，再用同样的命令继续；已完成的部分都在"
            raise SiteError(Problem(target.name, None, "不能写出", way)) from error


def _number(name: str) -> int:
    return int(Path(name).stem.removeprefix("part-"))


def _text(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
