"What goes wrong at the edges is said in a sentence, by a named error that says what to do"
import numpy as np
import pandas as pd
import pytest

from portfolio_research import (
    Crossover, DriftBand, EqualWeight, InverseVolatility, Market, Optimize, Policy, PortfolioResearchError,
    Trailing, compare, parse_objective, tear_sheet, walk_forward)

DATES = pd.bdate_range("2020-01-01", periods=300)
PRICES = pd.DataFrame(np.exp(.01 * np.random.default_rng(0).standard_normal((300, 3)).cumsum(0)) * 100, DATES,
                      ["A", "B", "C"])
MARKET, PLAIN = Market.from_prices(PRICES), Policy(EqualWeight())
SHARPE = Optimize("maximize sharpe", Trailing(60))
ALONE = Policy(InverseVolatility("5Y"))
NO_FLAGS = Policy(EqualWeight(), overlays=[lambda w, m: w])
ZONED = pd.Series(.01, DATES.tz_localize("UTC"))
UTC = pd.Timestamp("2020-05-01", tz="UTC")

CASES = {  # what is done -> the error, words of the cure or of the place
    "a rate in a zone": (lambda: Market.from_prices(PRICES, cash_rate=ZONED),
                         "CalendarError", "cash_rate: its dates are by the clock of UTC"),
    "a benchmark in a zone": (lambda: Market.from_prices(PRICES, PRICES.A.tz_localize("UTC")),
                              "CalendarError", "tz_localize"),
    "a benchmark at another hour": (lambda: Market.from_prices(PRICES, PRICES.A.shift(16, "h")),
                                    "CalendarError", "at 16:00:00, and the market's at 00:00:00"),
    "until, in a zone": (lambda: MARKET.until(UTC), "CalendarError", "whose dates are such as"),
    "until, no date": (lambda: MARKET.until("foo"), "CalendarError", "is no date"),
    "a decision, no date": (lambda: PLAIN.review(MARKET).path["foo"], "CalendarError", "no bar on foo"),
    "metrics since, in a zone": (lambda: walk_forward(PLAIN, MARKET).metrics(UTC), "CalendarError", "since"),
    "previous, too short": (lambda: SHARPE.allocate(MARKET, np.array([1.])), "ParameterError", "by name"),
    "arguments turned round": (lambda: walk_forward(MARKET, PLAIN), "ParameterError", "in this order"),
    "policies in a list": (lambda: compare([PLAIN], MARKET), "ParameterError", "under a name"),
    "one sleeve, no list": (lambda: Policy(EqualWeight(), sleeves=Crossover(5, 20)),
                            "ParameterError", "write ["),
    "one name, no list": (lambda: MARKET.select("A"), "ParameterError", "write ['A']"),
    "a trigger in words": (lambda: Policy(EqualWeight(), "monthly"), "ParameterError", "write Monthly()"),
    "an overlay without flags": (lambda: NO_FLAGS.review(MARKET),
                                 "ParameterError", "returns two things"),
    "a window longer than the market": (lambda: tear_sheet(walk_forward(ALONE, MARKET)),
                                        "EmptyDataError", "never held anything"),
    "a percentage without its sign": (lambda: parse_objective("minimize cvar_95 subject to volatility <= 8"),
                                      "UnitError", "write '8%'"),
    "a band of 500%": (lambda: DriftBand(5), "UnitError", "5%")}

@pytest.mark.parametrize("what", CASES)
def test_said_in_a_sentence(what):
    do, error, words = CASES[what]
    with pytest.raises(PortfolioResearchError) as raised: do()
    assert type(raised.value).__name__ == error and words in str(raised.value)

def test_weights_held_now_are_read_as_people_write_them():
    by_name, in_order = (SHARPE.allocate(MARKET, w).weights for w in ({"A": 1.0}, np.array([1., 0, 0])))
    assert by_name.equals(in_order)
    half = PLAIN.review(MARKET, {"A": "50%"})
    assert half.orders["A"] == half.targets["A"] - .5

def test_an_arm_that_never_held_anything_takes_nothing_from_the_others():
    alone = compare({"equal": PLAIN}, MARKET).metrics()
    both = compare({"never": ALONE, "equal": PLAIN}, MARKET)
    pd.testing.assert_frame_equal(both.metrics().loc[["equal"]], alone, check_dtype=False)
    assert both.metrics().loc["never"].isna().all()
    assert both.notes == ("never: never held anything in 300 bars, and is excluded",)
