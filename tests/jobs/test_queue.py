"""Jobs and workers: real processes that are started, stopped, killed and raced."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from ad_core.errors import Cancelled, StoreError
from ad_core.jobs import processes
from ad_core.jobs import queue as jobs
from ad_core.storage import host, run_files
from ad_core.storage.run_files import LiveReport
from ad_core.storage.schema import RunRow
from ad_core.storage.store import RunRecord, Store

PATIENCE_S = 120
"""How long a test waits for another process before it fails; it says nothing about speed."""

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.delenv("AD_DATABASE_URL", raising=False)
    store = Store.open(tmp_path / "home")
    yield store
    for run in store.runs(status="running"):
        if run.host == host.here() and run.pid_started and run.pid not in (None, os.getpid()):
            processes.end(run.pid, run.pid_started)


@pytest.fixture
def start(store: Store) -> Iterator[Start]:
    """Starts a worker in its own process group, whose job is the body of `job(store, run_id, report)`."""
    workers: list[subprocess.Popen[bytes]] = []

    def start_worker(run: RunRecord, job: str, grace_s: float = 10.0) -> subprocess.Popen[bytes]:
        code = (
            "import errno, os, sys, time\nfrom pathlib import Path\nfrom ad_core.jobs import worker\n"
            "from ad_core.errors import *\nfrom ad_core.storage.store import Store\n"
            f"def job(store, run_id, report):\n{textwrap.indent(textwrap.dedent(job), '    ')}\n"
            f"status = worker.work(Store.open({str(store.home)!r}), {run.id!r}, job, {grace_s})\n"
            "sys.exit({'done': 0, None: 3}.get(status, 1))"
        )
        workers.append(subprocess.Popen([sys.executable, "-c", code], start_new_session=True))
        return workers[-1]

    yield start_worker
    for worker in workers:
        if worker.poll() is None:
            worker.kill()
        worker.wait()


def queued(store: Store, name: str = "First", device: str = "cpu") -> RunRecord:
    known = store.datasets()
    dataset = known[0] if known else store.add_dataset("Pumps", "table", ["/nowhere.csv"], {}, 10, "abc", {})
    return store.add_run(dataset.id, "train", {"device": device}, name)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def ended(store: Store, run: RunRecord) -> RunRecord:
    until(lambda: not store.run(run.id).alive)
    return store.run(run.id)


WAIT_FOR_STOP = """
report.stage("train")
while True:
    report.check()
    time.sleep(0.02)
"""

IGNORE_STOP = """
report.stage("train")
while True:
    time.sleep(0.02)
"""

WAIT_WITH_A_CHILD = """
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
(store.folder(run_id) / "part").write_text(str(child.pid))
(store.folder(run_id) / "part").rename(store.folder(run_id) / "child")
time.sleep(600)
"""

DISK_FULL_BELOW = """
try:
    raise OSError(errno.ENOSPC, "x")
except OSError as error:
    raise ValueError("not saved") from error
"""


def test_a_job_ends_with_its_summary_and_what_it_reported(store: Store, start: Start) -> None:
    run = queued(store)

    worker = start(
        run,
        """
        report.stage("load")
        report.stage("train")
        for i in range(10):
            report.step((i + 1) / 10, loss=1.0 / (i + 1), **({"held_out_loss": 0.5} if i == 9 else {}))
        report.say("Nearly there")
        report.stage("explain")
        report.step(1.0)
        return {"auroc": 0.9}
        """,
    )

    assert worker.wait(PATIENCE_S) == 0
    done = store.run(run.id)
    assert (done.status, done.summary, done.error, done.ended_well) == ("done", {"auroc": 0.9}, None, True)
    state = jobs.state(store, run.id)
    assert (state.stage, state.done, state.eta_s) == ("explain", 1.0, None)
    assert [point["loss"] for point in state.curve] == pytest.approx([1.0 / (i + 1) for i in range(10)])
    assert state.curve[-1]["held_out_loss"] == 0.5
    assert state.log_tail[-2].endswith("Nearly there")
    assert not (store.folder(run.id) / "reserve").exists()


def test_two_workers_that_race_for_a_run_do_it_once(store: Store, start: Start) -> None:
    run = queued(store)
    job = """
        with (store.folder(run_id) / "did").open("a") as file:
            file.write("x")
        time.sleep(0.5)
        return {}
    """

    racers = [start(run, job) for _ in range(3)]

    assert sorted(racer.wait(PATIENCE_S) for racer in racers) == [0, 3, 3]
    assert (store.folder(run.id) / "did").read_text() == "x"


def test_a_killed_worker_is_found_lost_and_can_be_run_again(store: Store, start: Start) -> None:
    run = queued(store)
    worker = start(run, """(store.folder(run_id) / "half").write_text("kept")""" + WAIT_FOR_STOP)
    until((store.folder(run.id) / "half").exists)
    assert jobs.find_lost(store) == []

    worker.send_signal(signal.SIGKILL)
    # Nobody waits for it, so it is a zombie now: there in the list of processes, and yet gone.
    until(lambda: processes.started(worker.pid) is None)
    found = jobs.find_lost(Store.open(store.home))

    assert [(lost.id, lost.status) for lost in found] == [(run.id, "lost")]
    assert "run it again" in str(found[0].error)
    assert jobs.find_lost(store) == []
    assert (store.folder(run.id) / "half").read_text() == "kept"
    again = jobs.rerun(store, run.id)
    assert (again.name, again.status) == ("First (again)", "running")
    assert again.pid != run.pid
    assert store.run(run.id).status == "lost"


def test_what_a_killed_worker_had_started_is_ended_too(store: Store, start: Start) -> None:
    run = queued(store)
    worker = start(run, WAIT_WITH_A_CHILD)
    until((store.folder(run.id) / "child").exists)
    child = int((store.folder(run.id) / "child").read_text())

    worker.kill()
    worker.wait(PATIENCE_S)
    assert processes.started(child) is not None
    jobs.find_lost(store)

    until(lambda: processes.started(child) is None)


def test_a_process_that_got_the_number_of_a_dead_worker_is_not_taken_for_it(store: Store) -> None:
    run = queued(store)
    store.claim(run.id, os.getpid(), "another start", "cpu")

    assert [lost.id for lost in jobs.find_lost(store)] == [run.id]


def test_a_worker_of_another_computer_is_judged_by_its_signs_of_life(store: Store) -> None:
    silent, heard = queued(store, device="cuda:0"), queued(store, device="cuda:1")
    for run, age_s in ((silent, jobs.SILENT_S + 30), (heard, jobs.SILENT_S - 30)):
        store.claim(run.id, 1, "then", run.device)
        moment = datetime.now(UTC) - timedelta(seconds=age_s)
        with store.writing() as session:
            session.execute(update(RunRow).where(RunRow.id == run.id).values(host="elsewhere", heartbeat=moment))

    assert [lost.id for lost in jobs.find_lost(store)] == [silent.id]


def test_a_worker_gives_signs_of_life_and_names_its_stage(store: Store, start: Start) -> None:
    run = queued(store)
    start(run, WAIT_FOR_STOP)
    until(lambda: store.run(run.id).stage == "train")

    first = store.run(run.id).heartbeat
    until(lambda: store.run(run.id).heartbeat != first)


def test_a_waiting_job_is_cancelled_at_once(store: Store) -> None:
    run = queued(store)

    jobs.cancel(store, run.id)

    assert store.run(run.id).status == "stopped"
    jobs.cancel(store, run.id)  # an end stays as it is
    with pytest.raises(StoreError, match="99 does not exist"):
        jobs.cancel(store, "99")


def test_a_running_job_stops_when_it_is_asked_to(store: Store, start: Start) -> None:
    run = queued(store)
    worker = start(run, WAIT_FOR_STOP)
    until(lambda: jobs.state(store, run.id).stage == "train")

    jobs.cancel(store, run.id)

    assert worker.wait(PATIENCE_S) == 1  # it ended by itself
    assert (store.run(run.id).status, store.run(run.id).error) == ("stopped", None)


def test_a_job_that_does_not_stop_is_ended_by_force(store: Store, start: Start) -> None:
    run = queued(store)
    worker = start(run, IGNORE_STOP, grace_s=0.5)
    until(lambda: jobs.state(store, run.id).stage == "train")

    jobs.cancel(store, run.id)

    assert worker.wait(PATIENCE_S) == -signal.SIGKILL
    assert store.run(run.id).status == "stopped"
    assert "by force" in str(store.run(run.id).error)


def test_a_frozen_worker_that_was_asked_to_stop_is_ended_by_whoever_looks(store: Store, start: Start) -> None:
    run = queued(store)
    worker = start(run, IGNORE_STOP)
    until(lambda: jobs.state(store, run.id).stage == "train")
    worker.send_signal(signal.SIGSTOP)
    jobs.cancel(store, run.id)

    jobs.find_lost(store)
    assert store.run(run.id).status == "running"  # it still has time
    time.sleep(0.05)
    jobs.find_lost(store, grace_s=0.01)

    assert store.run(run.id).status == "stopped"
    assert worker.wait(PATIENCE_S) == -signal.SIGKILL


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        ("raise DataError('Column a is empty.')", "^Column a is empty.$"),
        ("raise OSError(errno.ENOSPC, 'No space left on device')", "^The disk is full"),
        (DISK_FULL_BELOW, "^The disk is full"),
        ("raise RuntimeError('io: No space left on device (os error 28)')", "^The disk is full"),
        ("raise MemoryError", "^Memory ran out"),
        ("raise KeyError('x')", r"^A bug in Anomaly Lens stopped this run \(KeyError: 'x'\)"),
    ],
)
def test_a_job_that_fails_says_why(store: Store, start: Start, job: str, sentence: str) -> None:
    run = queued(store)

    assert start(run, f"report.stage('load')\n{job}").wait(PATIENCE_S) == 1

    failed = store.run(run.id)
    assert failed.status == "failed"
    assert re.search(sentence, str(failed.error))
    assert any("Traceback" in line for line in jobs.state(store, run.id).log_tail)


def test_a_full_disk_while_progress_is_written_fails_the_run_and_keeps_the_rest(store: Store, start: Start) -> None:
    """Every write of the report fails as on a full disk; what other runs have, and the database, stay whole."""
    good = queued(store, "Good")
    assert start(good, "report.stage('load')\nreturn {'n': 1}").wait(PATIENCE_S) == 0
    run = queued(store, "Unlucky")

    start(
        run,
        """
        report.stage("train")
        report.step(0.5, loss=1.0)
        report.stage("score")
        import ad_core.storage.run_files
        def full(*_): raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        ad_core.storage.run_files.replace_text = full
        report.step(1.0)
        """,
    ).wait(PATIENCE_S)

    assert store.run(run.id).status == "failed"
    assert str(store.run(run.id).error).startswith("The disk is full")
    assert jobs.state(store, run.id).stage == "score"
    assert not (store.folder(run.id) / "reserve").exists()
    assert store.run(good.id).summary == {"n": 1}
    assert jobs.state(store, good.id).done == 1.0


def test_jobs_of_one_device_run_one_after_the_other(store: Store, start: Start) -> None:
    """The first is held by a worker of ours; when it ends, that worker starts the oldest one that waits."""
    first, second, third = queued(store, "1"), queued(store, "2"), queued(store, "3")
    worker = start(first, """while not (store.folder(run_id) / "go").exists(): time.sleep(0.02)\nreturn {}""")
    until(lambda: store.run(first.id).status == "running")

    assert jobs.start_next(store) == []
    assert [store.run(run.id).status for run in (second, third)] == ["queued", "queued"]
    (store.folder(first.id) / "go").touch()
    assert worker.wait(PATIENCE_S) == 0

    assert store.run(second.id).status != "queued"
    ended(store, second), ended(store, third)
    one, two, three = (store.run(run.id) for run in (first, second, third))
    assert one.ended
    assert two.started
    assert two.ended
    assert three.started
    assert one.ended <= two.started <= two.ended <= three.started
    assert len({one.pid, two.pid, three.pid}) == 3


def test_jobs_of_different_devices_run_side_by_side(store: Store) -> None:
    runs = [queued(store, device=device) for device in ("cpu", "cuda:1", "cuda:1")]

    started = jobs.start_next(store)

    assert [run.id for run in started] == [runs[0].id, runs[1].id]
    assert [run.slot for run in started] == ["cpu", "cuda:1"]
    assert jobs.slot("cuda") == "cuda:0"
    assert jobs.slot("auto") in ("cpu", "cuda:0", "mps")
    jobs.cancel(store, runs[2].id)


def test_many_who_look_at_once_start_a_job_once(store: Store) -> None:
    run = queued(store)
    looks = [threading.Thread(target=jobs.start_next, args=(store,)) for _ in range(4)]
    for look in looks:
        look.start()
    for look in looks:
        look.join()

    claimed = store.run(run.id)
    assert claimed.pid is not None
    ended(store, run)
    assert store.run(run.id).pid == claimed.pid


def test_a_submitted_job_runs_detached_and_leaves_no_zombie(store: Store) -> None:
    """The data are gone, so the real pipeline ends it with a sentence; the process is our child and must be reaped."""
    queued(store)
    jobs.cancel(store, store.runs()[0].id)

    run = jobs.submit(store, store.datasets()[0].id, "train", {"device": "cpu"}, "Second")

    assert run.status == "running"
    assert run.pid is not None
    assert os.getpgid(run.pid) == run.pid  # its own group: closing our terminal does not reach it
    over = ended(store, run)
    assert over.status == "failed"
    assert over.error
    until(lambda: not Path(f"/proc/{run.pid}").exists())


def test_a_worker_that_cannot_be_started_fails_the_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queued(store)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    assert jobs.start_next(store) == []

    assert store.run(run.id).status == "failed"
    assert "could not be started (No such file or directory)" in str(store.run(run.id).error)


def test_the_state_of_a_job_that_has_not_begun_is_empty(store: Store) -> None:
    run = queued(store)

    assert jobs.state(store, run.id) == jobs.JobState("", 0.0, 0.0, None, {}, [], [])


def test_the_bar_follows_the_stages_and_never_goes_back(tmp_path: Path) -> None:
    report = LiveReport(tmp_path, "train")
    seen = []
    for stage in ("load", "profile", "split", "train", "load", "calibrate", "unknown", "score", "map", "explain"):
        report.stage(stage)
        seen.append(report.progress.done)
        for done in (0.5, 0.2, 1.0, 7.0):
            report.step(done)
            seen.append(report.progress.done)

    assert seen == sorted(seen)
    assert seen[3 * 5 + 1] == pytest.approx(0.05 + 0.3)  # half of the training
    assert seen[-1] == pytest.approx(1.0)
    assert all(sum(shares.values()) == pytest.approx(1.0) for shares in run_files.WEIGHTS.values())


def test_the_forecast_comes_from_the_time_used_so_far(store: Store) -> None:
    run = queued(store)
    store.claim(run.id, os.getpid(), str(processes.started(os.getpid())), "cpu")
    report = LiveReport(store.folder(run.id), "train")

    report.stage("load")
    report.stage("train")
    assert jobs.state(store, run.id).eta_s is None  # 5 % done, none of it training
    report.progress = replace(report.progress, began=time.time() - 100)
    report.stage("calibrate")

    eta_s = jobs.state(store, run.id).eta_s
    store.finish(run.id, "stopped")  # or its end would be ours
    assert eta_s == pytest.approx(100 * 0.35 / 0.65, rel=0.2)  # 65 % done; the test itself takes a moment


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """A writer in another process goes on while we read; every read must be complete and no older than the last."""
    code = (
        "from pathlib import Path; from ad_core.storage.run_files import LiveReport; import ad_core.storage.run_files\n"
        "ad_core.storage.run_files.WRITE_EVERY_S = 0.0\n"
        f"report = LiveReport(Path({str(tmp_path)!r}), 'train'); report.stage('train')\n"
        "for i in range(1500): report.step(i / 1500, loss=float(i), **{'fact%d' % j: float(i) for j in range(50)})"
    )
    writer = subprocess.Popen([sys.executable, "-c", code])
    last, points, reads = 0.0, 0, 0
    while writer.poll() is None:
        progress, curve = run_files.read_progress(tmp_path), run_files.read_curve(tmp_path)
        assert progress.stage_done >= last
        assert len(set(progress.facts.values())) <= 1
        assert len(curve) >= points
        last, points, reads = progress.stage_done, len(curve), reads + 1

    assert writer.returncode == 0
    assert reads > 10
    assert len(run_files.read_curve(tmp_path)) == 1500
    assert list(tmp_path.glob("*.part")) == []


def test_an_unfinished_line_of_the_curve_is_left_out(tmp_path: Path) -> None:
    (tmp_path / run_files.CURVE).write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "lo')

    assert run_files.read_curve(tmp_path) == [{"step": 1, "loss": 2.0}]


def test_a_long_curve_stays_short_and_keeps_every_held_out_loss(tmp_path: Path) -> None:
    report = LiveReport(tmp_path, "train")
    report.stage("train")
    for i in range(30_000):
        report.step(i / 30_000, loss=1.0, **({"held_out_loss": 2.0} if i % 1000 == 999 else {}))
    report.step(1.0, loss=float("nan"), held_out_loss=float("inf"))

    curve = run_files.read_curve(tmp_path)

    assert len(curve) < 10_000
    assert sum("held_out_loss" in point for point in curve) == 31
    assert curve[-1] == {"step": 30_001, "loss": None, "held_out_loss": None}
    json.loads((tmp_path / run_files.PROGRESS).read_text(), parse_constant=pytest.fail)  # no NaN, which is not JSON


def test_the_log_tail_shows_the_last_lines_as_a_terminal_would(tmp_path: Path) -> None:
    (tmp_path / run_files.LOG).write_bytes(b"x" * 70_000 + b"\n10 %\r50 %\r100 %\n\xff bad byte\r\nlast")

    assert run_files.read_log(tmp_path) == ["100 %", "\ufffd bad byte", "last"]
    assert run_files.read_log(tmp_path, lines=1) == ["last"]
    assert run_files.read_log(tmp_path / "none") == []


def test_a_check_tells_that_the_user_wants_to_stop(tmp_path: Path) -> None:
    report = LiveReport(tmp_path, "score")
    report.check()

    run_files.ask_to_cancel(tmp_path)
    first = run_files.cancel_asked(tmp_path)
    run_files.ask_to_cancel(tmp_path)

    with pytest.raises(Cancelled):
        report.check()
    assert run_files.cancel_asked(tmp_path) == first


def test_processes_are_recognised_where_there_is_no_proc_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PROC", Path("/nowhere"))
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        born = processes.started(child.pid)
        assert born
        assert processes.alive(child.pid, born)
    finally:
        child.kill()
        child.wait()
    assert processes.started(child.pid) is None
    assert not processes.alive(child.pid, born)
