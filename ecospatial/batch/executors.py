"""Who checks the parts: this process, several of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import active_children, connection, get_context, parent_process
from typing import TYPE_CHECKING, Any

from ecospatial.batch.task import check_part, forget
from ecospatial.errors import Problem, SiteError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from ecospatial.batch.task import PartRefusal, PartResult, Task
    from ecospatial.sites import Piece

    Work = Iterator[tuple[int, Piece, bool]]
    Results = Generator[PartResult | PartRefusal, None, None]

# Parts handed out for each worker: the one in work and the next.
_AHEAD = 2


def in_turn(task: Task, work: Work) -> Results:
    """Check one part after the other in this process."""
    try:
        for number, piece, read_only in work:
            yield check_part(task, number, piece, read_only=read_only)
    finally:
        forget()


def in_processes(task: Task, work: Work, jobs: int) -> Results:
    """Check parts in several processes of this machine, in the order in which they finish.

    Raises
    ------
    SiteError
        The system ended one of the processes.
    """
    others = set(active_children())
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_serve)
    waiting: set[Future[PartResult | PartRefusal]] = set()
    try:
        while True:
            for number, piece, read_only in islice(work, _AHEAD * jobs - len(waiting)):
                waiting.add(pool.submit(check_part, task, number, piece, read_only=read_only))
            if not waiting:
                break
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        fault = "一个计算进程被系统终止（可能是内存不足）"
        raise SiteError(Problem("", None, fault, "请减小 --jobs，用同样的命令继续；已完成的部分都在")) from error
    except BaseException:
        # Stopped: nobody waits for parts in work.
        for process in set(active_children()) - others:
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _serve() -> None:
    """Prepare a process of the pool: stopping is the business of its parent, without which it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def on_cluster(task: Task, work: Work, client: Any) -> Results:
    """Check parts on the workers of a Dask cluster; a part whose worker dies is given to another.

    Parameters
    ----------
    task, work
        What to check.
    client
        A ``distributed.Client``.

    Raises
    ------
    SiteError
        A part took several workers down with it.
    """
    from distributed import KilledWorker, as_completed

    flights = as_completed()

    def hand_out(count: int) -> None:
        for number, piece, read_only in islice(work, count):
            flights.add(client.submit(check_part, task, number, piece, read_only=read_only, pure=False))

    try:
        hand_out(_AHEAD * max(sum(client.nthreads().values()), 1))
        for future in flights:
            found: PartResult | PartRefusal = future.result()
            future.release()
            hand_out(1)
            yield found
    except KilledWorker as error:
        fault = "一个部分使几个计算进程先后被终止（可能是内存不足）"
        raise SiteError(Problem("", None, fault, "请给各进程更多内存，用同样的命令继续；已完成的部分都在")) from error
    finally:
        client.cancel(list(flights.futures))
