"""A book in a file and on a server: killed at any moment, opened twice, replayed day by day.
PORTFOLIO_RESEARCH_KILLS=1000 for a long run"""
import os
import random
import select
import shutil
import signal
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from postgres import missing, server

from portfolio_research.live import checks
from portfolio_research.policy import policy
from portfolio_research.optimization.allocators import EqualWeight, InverseVolatility
from portfolio_research.live.book import Book
from portfolio_research.risk.stop_loss import MaxDrawdownStop
from portfolio_research.risk.moving_average import MovingAverageRule
from portfolio_research.risk.placement import both
from portfolio_research.data.sources import load_market
from portfolio_research.live.checks import StaleMarketError
from portfolio_research.policy.policy import Policy
from portfolio_research.execution.triggers import DriftBand, Monthly
from portfolio_research.live.journal import _TABLES, BookBusyError, BookURLError, DamagedBookError
from portfolio_research.management.strategies import Crossover, Reversion

KILLS = int(os.environ.get("PORTFOLIO_RESEARCH_KILLS", 40))
BARS = int(os.environ.get("PORTFOLIO_RESEARCH_BARS", 160))
MARKET = load_market()
FEW = MARKET.select(["KO", "XOM", "JPM", "MSFT"]).until("1990-09-28")
PLAIN = Policy(EqualWeight(), Monthly() | DriftBand(.02), risk=MaxDrawdownStop(.05))
PATH = PLAIN.review(FEW).path

@pytest.fixture(scope="session")
def postgres():
    if why := missing():
        if os.environ.get("CI"): pytest.fail(f"CI tests PostgreSQL: {why}")
        pytest.skip(why)
    with server() as url: yield url

@pytest.fixture(params=["sqlite", "postgresql"])
def places(request, tmp_path):
    "New places for books, one after the other."
    if request.param == "sqlite": return (tmp_path / f"{i}.db" for i in count())
    return schemas(request.getfixturevalue("postgres"))

def schemas(url):
    "One schema a book; what a URL says as search_path is where its tables are."
    engine = sa.create_engine(url)
    for i in count():
        name = f"book_{os.getpid()}_{random.randrange(10**9)}_{i}"
        with engine.begin() as connection: connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        engine.dispose()
        yield f"{url}?options=-csearch_path%3D{name}"

def in_child(work, pipe=False):
    "Run `work(write)` in a process of its own; its pid, and where to read what it wrote."
    r, w = os.pipe()
    if pid := os.fork():
        os.close(w)
        return pid, r
    try:
        os.close(r)
        work(lambda text: os.write(w, f"{text}\n".encode()))
    except BaseException as e:
        os.write(w, f"error {type(e).__name__}: {e}\n".encode())
        os._exit(1)
    os._exit(0)

def read_all(r):
    with os.fdopen(r) as file: return file.read().splitlines()

def reviewing(where, bars):
    "A process that reviews bar after bar from where the book stands, and says what it was told."
    def work(write):
        book = Book(where, PLAIN)
        while (t := book.status().get("bars", 0)) < bars:
            with suppress(StaleMarketError):                       # another process was there first
                write(f"{t} {book.review(FEW.until(FEW.dates[t])).id}")
    return work

def check(where, bars, told):
    "Nothing lost, nothing doubled, nothing unreadable."
    book = Book(where, PLAIN)
    journal, decided = book.journal(), book.status().get("bars", 0)
    assert list(journal.as_of) == list(FEW.dates[:decided]) and journal.sent.all()
    for t, id in told.items(): assert journal.id[t] == id, f"bar {t} was told as {id}"
    if decided == bars:
        for t in range(bars): assert book.decision(journal.id[t]) == PATH[t]
        assert book.replay().empty
    book.store.close()
    return decided

def test_killed_at_any_moment(places):
    rng, bars, where, told, unfinished, landed = random.Random(7), 25, next(places), {}, 0, 0
    began = time.perf_counter()
    Book(next(places), PLAIN).review(FEW.until(FEW.dates[0]))
    # what opening and reviewing takes on this machine
    unit = time.perf_counter() - began
    for i in range(KILLS):
        pid, r = in_child(reviewing(where, bars))
        # every other time, not before its first decision
        if i % 2: select.select([r], [], [], 10)
        time.sleep(rng.uniform(0, unit))
        os.kill(pid, signal.SIGKILL)
        landed += os.waitpid(pid, 0)[1] == signal.SIGKILL
        lines = read_all(r)
        assert not [l for l in lines if l.startswith("error")], lines
        told |= {int(t): id for t, id in (l.split() for l in lines)}
        try: done = check(where, bars, told)
        except BookURLError: done = 0                              # killed before there was a book
        unfinished += 0 < done < bars
        if done == bars: where, told = next(places), {}
    assert landed > KILLS / 4 and unfinished > KILLS / 8
    print(f"{landed} of {KILLS} kills hit a living process, {unfinished} left a book in the middle")

def test_two_processes_on_one_book(places):
    where, bars = next(places), 30
    children = [in_child(reviewing(where, bars)) for _ in range(2)]
    lines = [read_all(r) for _, r in children]
    assert [os.waitpid(pid, 0)[1] for pid, _ in children] == [0, 0], lines
    told = [dict(l.split() for l in one) for one in lines]
    assert all(told[0][t] == told[1][t] for t in told[0].keys() & told[1].keys())
    assert check(where, bars, {int(t): id for one in told for t, id in one.items()}) == bars

def test_the_second_waits_or_is_told(places):
    where = next(places)
    first, second = Book(where, PLAIN), Book(where, PLAIN, timeout=.1)
    with first.store.writing():
        with pytest.raises(BookBusyError, match="another process"): second.review(FEW)
        assert second.status()["trading"] == "ACTIVE"              # reading waits for nobody
    assert second.review(FEW) is not None

def test_a_reader_sees_one_moment(places):
    where = next(places)
    writer, reader = Book(where, PLAIN), Book(where, PLAIN)
    writer.review(FEW.until(FEW.dates[0]))
    with reader.store.reading() as ledger:
        seq = ledger.last("decisions")["seq"]
        writer.review(FEW.until(FEW.dates[1]))                     # between two looks of the reader
        assert ledger.last("decisions")["seq"] == seq
        assert ledger.state(seq)["seq"] == seq
    assert reader.status()["bars"] == 2

def test_a_study_and_a_book_decide_the_same(places):
    systems = Policy(InverseVolatility("6M"), sleeves=[Crossover(5, 20), Reversion("1M")],
                     risk=both(MovingAverageRule(20), MaxDrawdownStop(.05)))
    where, path = next(places), systems.review(MARKET.until(MARKET.dates[BARS - 1])).path
    for t in range(BARS):
        if t % 50 == 0: book = Book(where, systems)                # as a new process would
        decision = book.review(MARKET.until(MARKET.dates[t]))
        assert decision == path[t], t
    assert book.replay().empty and path.traded.any(axis=1).sum() > BARS / 20

def test_a_book_of_version_1(places, tmp_path):
    old, where = tmp_path / "old.db", next(places)
    shutil.copy(Path(__file__).parent / "data" / "book_v1.db", old)
    if "://" in str(where): as_on_a_server(old, where)
    else: where = old
    for end in range(30, 45):
        assert Book(where, PLAIN).review(FEW.until(FEW.dates[end])) == PATH[end]
    book = Book(where, PLAIN)
    journal, wealth = book.journal(), book.wealth()
    assert len(journal) == 45 and list(journal.index[~journal.sent]) == [12, 13]
    assert journal.id[29] == "47763417fd4e29f8"
    assert wealth.flow.sum() == -2e5
    # orders of zero change were left out
    for then, now in zip(*(book.replay()[k] for k in ("then", "now")), strict=True):
        assert set(then.index) < set(now.index) and (now.drop(then.index) == 0).all()
    with book.store.reading() as ledger: rows = ledger.rows("decisions")
    assert [r["watched"] for r in rows] == [None] * 30 + list(PATH.monitored_returns[30:45])

def test_a_book_of_version_2(tmp_path):
    "Written before the table that knows the last row of each other: it goes on, and is guarded from then on."
    where = tmp_path / "old.db"
    shutil.copy(Path(__file__).parent / "data" / "book_v2.db", where)
    for end in range(30, 40): assert Book(where, PLAIN).review(FEW.until(FEW.dates[end])) == PATH[end]
    book = Book(where, PLAIN)
    assert len(book.journal()) == 40 and book.replay().empty and list(book.flows().amount) == [1000.0]
    assert book.status()["trading"] == "ACTIVE"
    with book.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM trading WHERE seq = 2")
    with pytest.raises(DamagedBookError, match="cut from its end"): Book(where, PLAIN).status()

def as_on_a_server(old, where):
    "The rows of a file of version 1, in its tables on a server."
    file, server = sa.create_engine(f"sqlite:///{old}"), sa.create_engine(where)
    tables = sa.MetaData()
    tables.reflect(file)
    with file.begin() as source, server.begin() as sink:
        _TABLES.create_all(sink)
        sink.exec_driver_sql("ALTER TABLE decisions DROP COLUMN watched")
        for t in tables.sorted_tables:
            if rows := [dict(r._mapping) for r in source.execute(sa.select(t))]:
                sink.execute(t.insert(), rows)
    server.dispose()

def test_a_state_of_an_older_form_is_made_anew(places, monkeypatch):
    where = next(places)
    for t in FEW.dates[:20]: Book(where, PLAIN).review(FEW.until(t))
    for module in (policy, checks): monkeypatch.setattr(module, "STATE_VERSION", policy.STATE_VERSION + 1)
    for t in range(20, 30): assert Book(where, PLAIN).review(FEW.until(FEW.dates[t])) == PATH[t]
    assert Book(where, PLAIN).replay().empty

def test_damage_on_a_server(postgres):
    places = schemas(postgres)
    for sql in ["UPDATE states SET state = replace(state, '1.0', '1.1')",
                "DELETE FROM decisions WHERE seq = 5",
                "UPDATE decisions SET sent = '{}' WHERE seq = 5", "DELETE FROM eras", "DROP TABLE flows",
                "UPDATE decisions SET data = '' WHERE seq = 5"]:
        where = next(places)
        book = Book(where, PLAIN)
        for t in FEW.dates[:5]: book.review(FEW.until(t))
        with book.store.engine.begin() as connection: connection.exec_driver_sql(sql)
        with pytest.raises(DamagedBookError):
            again = Book(where, PLAIN)
            again.review(FEW.until(FEW.dates[5]))
            again.status()
    with pytest.raises(BookURLError, match="server"):
        Book("postgresql+psycopg://nobody@127.0.0.1:1/none", PLAIN, timeout=1)
