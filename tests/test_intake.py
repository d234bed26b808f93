"""Files as people have them: each row is a text, and either what it becomes or the error that says
what to do."""
import numpy as np
import pandas as pd
import pytest

from portfolio_research import load_market
from portfolio_research.core import (
    BadPriceError, CalendarError, DataError, DataFileError, DatesError, DuplicateDatesError, EmptyDataError,
    MissingDataError, NotNumericError, UnitError, UnknownNameError, UnsortedDatesError)
from portfolio_research.data.files import read_table

DAYS = pd.bdate_range("2024-01-15", periods=8)  # the 15th, so that all dates say which number is the day
KO, XOM = [60.1, 60.4, 59.9, 61.0, 61.2, 60.8, 60.7, 61.5], [99.5, 98.2, 98.8, 100.1, 99.9, 101.0, 100.4,
                                                             102.3]


def rows(date="%Y-%m-%d", sep=",", head="Date,KO,XOM", number=str, days=DAYS):
    "The table as a text."
    lines = [sep.join([d.strftime(date), number(a), number(b)]) for d, a,
             b in zip(days, KO, XOM, strict=True)]
    return "\n".join([head.replace(",", sep), *lines]) + "\n"


def comma(x): return f"{x:.2f}".replace(".", ",")
def fields(names): return f"Date,{names}\n" + "".join(f"{d.date()}{',1.5' * (names.count(',') + 1)}\n"
                                                      for d in DAYS)
def long(more="", value=""):
    pairs = [(d, n, p) for i, d in enumerate(DAYS) for n, p in (("KO", KO[i]), ("XOM", XOM[i]))]
    return f"date,ticker,close{more}\n" + "".join(f"{d.date()},{n},{p}{value}\n" for d, n, p in pairs)


PLAIN = rows()
SAME = {  # what is read as the plain table: text, arguments, what is noted
    "plain": (PLAIN, {}, ""),
    "windows line ends": (PLAIN.replace("\n", "\r\n"), {}, ""),
    "byte order mark": ("\ufeff" + PLAIN, {}, ""),
    "no last line end": (PLAIN.rstrip(), {}, ""),
    "blank lines": (PLAIN.replace("\n", "\n\n"), {}, ""),
    "comments": ("# exported\n" + PLAIN, {}, "comments left out, such as '# exported'"),
    "spaces around": (PLAIN.replace(",", " , "), {}, ""),
    "quotes": ("\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in PLAIN.splitlines()), {}, ""),
    "semicolons": (rows(sep=";"), {}, "separated by ';'"),
    "a counter called #": ("#,Date,KO,XOM\n" + "".join(f"{i},{x}\n" for i,
                                                       x in enumerate(PLAIN.splitlines()[1:])), {},
                           "counts rows"),
    "a row in a comment": (PLAIN + "#2024-01-25,1,2\n", {}, "comments left out, such as '#2024-01-25,1,2'"),
    "quotes and decimal commas": (rows(sep=";", number=lambda x: f'"{comma(x)}"'), {}, "decimal commas"),
    "hours of midnight": (rows("%Y-%m-%d 00:00:00"), {}, ""),
    "hours with a T": (rows("%Y-%m-%dT00:00:00"), {}, ""),
    "short names of months": (rows("%d %b %Y"), {}, ""),
    "long names of months": (rows("%B %d %Y"), {}, ""),
    "an empty last column": (PLAIN.replace("\n", ",\n"), {}, ""),
    "an empty first line": ("\n" + PLAIN, {}, ""),
    "a title in quotes": ('"Prices, adjusted"\n' + PLAIN, {}, "left out above the table"),
    "many digits": (rows(number=lambda x: f"{x:.15f}"), {}, ""),
    "exponents": (rows(number=lambda x: f"{x:.6e}"), {}, ""),
    "plus signs": (rows(number=lambda x: f"+{x}"), {}, ""),
    "tabs": (rows(sep="\t"), {}, "separated by tabs"),
    "pipes": (rows(sep="|"), {}, "separated by '|'"),
    "given separator": (rows(sep="^"), {"separator": "^"}, "separated by '^'"),
    "decimal commas": (rows(sep=";", number=comma), {}, "decimal commas"),
    "decimal commas and tabs": (rows(sep="\t", number=comma), {}, "decimal commas"),
    "day first": (rows("%d.%m.%Y"), {}, "dates are read day first"),
    "day first, slashes": (rows("%d/%m/%Y"), {}, "day first"),
    "day first, two digits": (rows("%d/%m/%y"), {}, "day first"),
    "month first": (rows("%m/%d/%Y"), {}, "dates are read month first"),
    "month first, dashes": (rows("%m-%d-%Y"), {}, "month first"),
    "said to be month first": (rows("%m/%d/%Y"), {"day_first": False}, "month first"),
    "eight digits": (rows("%Y%m%d"), {}, ""),
    "slashes, year first": (rows("%Y/%m/%d"), {}, ""),
    "points, year first": (rows("%Y.%m.%d"), {}, ""),
    "names of months": (rows("%d-%b-%Y"), {}, ""),
    "names of months, American": (rows("%b %d %Y"), {}, ""),
    "midnight": (rows("%Y-%m-%d 00:00:00"), {}, ""),
    "iso midnight": (rows("%Y-%m-%dT00:00:00"), {}, ""),
    "another word for date": (rows(head="Datum,KO,XOM"), {}, ""),
    "no word for date": (rows(head=",KO,XOM"), {}, ""),
    "a counter in front": (",Date,KO,XOM\n" + "".join(f"{i},{x}\n" for i,
                                                      x in enumerate(PLAIN.splitlines()[1:])), {},
                           "counts rows"),
    "dates last": ("KO,XOM,Date\n" + "".join(",".join([*x.split(",")[1:], x.split(",")[0]]) + "\n"
                                          for x in PLAIN.splitlines()[1:]), {}, ""),
    "title": ("Prices in USD\n" + PLAIN, {}, "left out above the table: 'Prices in USD'"),
    "title with separators": ("Prices,,\n" + PLAIN, {}, "left out above"),
    "total": (PLAIN + "Total,,\n", {}, "left out below the table: 'Total'"),
    "source": (PLAIN + "Source: terminal,,\n", {}, "left out below"),
    "newest first": ("\n".join([PLAIN.splitlines()[0], *PLAIN.splitlines()[:0:-1]]), {}, "newest first"),
    "an empty column": ("\n".join(line + "," for line in PLAIN.splitlines()), {}, ""),
    "long": (long(), {}, "one row for each date and 'ticker'"),
    "long with fields": (long(",volume", ",5"), {"column": "close"}, "one row for each date"),
    "long, shuffled names": (long().replace("date,ticker,close", "Date,Symbol,Price"), {}, "'Symbol'"),
    "thousands": (rows(number=lambda x: f'"{x:,.1f}"'), {}, ""),
    "apostrophes": (rows(number=lambda x: f"{x:,.1f}".replace(",", "'")), {}, ""),
    "yahoo": ("Price,Close,Close\nTicker,KO,XOM\nDate,,\n" + PLAIN.split("\n", 1)[1], {"column": "Close"},
              ""),
    "yahoo, no third line": ("Price,Close,Close\nTicker,KO,XOM\n" + PLAIN.split("\n", 1)[1],
                             {"column": "Close"}, ""),
    "yahoo, the other way": ("Ticker,KO,XOM\nTicker,Close,Close\n" + PLAIN.split("\n", 1)[1],
                             {"column": "Close"}, ""),
}
REFUSED = {  # text, arguments, error, its words
    "empty": ("", {}, EmptyDataError, "the file is empty"),
    "blank": ("\n \n", {}, EmptyDataError, "the file is empty"),
    "only a header": ("Date,KO\n", {}, EmptyDataError, "no row below"),
    "no header": (PLAIN.split("\n", 1)[1], {}, DataFileError, "the first line is data"),
    "one column": ("Date\n2024-01-15\n", {}, DataFileError, "give separator="),
    "spaces": ("Date KO\n2024-01-15 60\n", {}, DataFileError, "give separator="),
    "ambiguous dates": ("Date,KO\n1/2/2024,60\n2/2/2024,61\n3/2/2024,62\n", {}, DatesError,
                        "give day_first=True"),
    "both orders": ("Date,KO\n15/2/2024,60\n2/16/2024,61\n", {}, DatesError, "repair one of them"),
    "spreadsheet days": ("Date,KO\n43831,60\n43832,61\n", {}, DatesError, "write them as 2020-03-31"),
    "seconds": ("Date,KO\n1577836800,60\n1577923200,61\n", {}, DatesError, "write them as 2020-03-31"),
    "a row number": ("n,KO\n1,60\n2,61\n", {}, DatesError, "numbers such as 1"),
    "a date that is none": (PLAIN.replace("2024-01-17", "2024-02-31"), {}, DatesError, "row 3: '2024-02-31'"),
    "the same day twice": (PLAIN.replace("2024-01-17", "2024-01-16"), {}, DuplicateDatesError,
                           "2024-01-16 stands twice"),
    "shuffled": (PLAIN.replace("2024-01-17", "2024-01-11"), {}, UnsortedDatesError,
                 "stands after a later date"),
    "twice a column": (PLAIN.replace("XOM", "KO"), {}, DatesError, "'KO' stands twice"),
    "a currency": (PLAIN.replace("59.9", "59.9 USD"), {}, NotNumericError,
                   "'KO' holds '59.9 USD' on 2024-01-17"),
    "a dollar": (PLAIN.replace("59.9", "$59.9"), {}, NotNumericError, "on 2024-01-17"),
    "a word": (PLAIN.replace("59.9", "halted"), {}, NotNumericError, "'halted' on 2024-01-17"),
    "two points": (PLAIN.replace("59.9", "5.9.9"), {}, NotNumericError, "'5.9.9'"),
    "one row too long": (PLAIN.replace("59.9", "59,9"), {}, DataFileError,
                         "row 4 has 4 fields and most have 3"),
    "fields of one": (fields("Open,High,Low,Close,Adj Close,Volume"), {}, NotNumericError,
                      "give column='Adj Close'"),
    "fields without adjusted": (fields("Open,High,Low,Close,Volume"), {}, NotNumericError,
                                "give column='Close'"),
    "another field": (fields("Open,Close"), {"column": "close"}, NotNumericError, "give column='Close'"),
    "no fields": (PLAIN, {"column": "Close"}, UnknownNameError, "this is no table of fields"),
    "long with fields": (long(",volume", ",5"), {}, NotNumericError, "give column='close'"),
    "long, twice": (long() + "2024-01-15,KO,60\n", {}, DatesError, "'KO' stands twice on 2024-01-15"),
    "two levels": ("Price,Close,Volume\nTicker,KO,KO\n" + PLAIN.split("\n", 1)[1], {}, NotNumericError,
                   "give column='Close'"),
    "a hole": (PLAIN.replace("59.9", ""), {}, MissingDataError, "has no price on 2024-01-17"),
    "n/a": (PLAIN.replace("59.9", "N/A"), {}, MissingDataError, "gaps='ffill'"),
    "a dash": (PLAIN.replace("59.9", "-"), {}, MissingDataError, "has no price on 2024-01-17"),
    "spreadsheet error": (PLAIN.replace("59.9", "#N/A"), {}, MissingDataError, "has no price on 2024-01-17"),
    "zero": (PLAIN.replace("59.9", "0"), {}, BadPriceError, "is 0 on 2024-01-17"),
    "negative": (PLAIN.replace("59.9", "-59.9"), {}, BadPriceError, "is -59.9 on 2024-01-17"),
    "infinite": (PLAIN.replace("59.9", "inf"), {}, DataError, "59.9|inf"),
    "returns as prices": ("Date,A\n" + "".join(f"{d.date()},{r}\n" for d,
                                               r in zip(DAYS, [.01, -.02] * 4, strict=True)), {},
                          BadPriceError, "use Market.from_returns"),
    "benchmark": (PLAIN, {"benchmark": "SPX"}, UnknownNameError,
                  "there is no column 'SPX' to be the benchmark; there are KO, XOM"),
    "prices as returns": (PLAIN, {"returns": True}, UnitError, "these are prices"),
    "nanoseconds": (None, {}, DatesError, "read as nanoseconds"),
    "months without days": (rows("%b-%y"), {}, DatesError, "is no date with day, month and year"),
    "days without years": (rows("%d-%b"), {}, DatesError, "is no date with day, month and year"),
    "dates in two ways": (PLAIN.replace("2024-01-17", "17/01/2024"), {}, DatesError,
                          "are written in two ways"),
    "dates in words and figures": (PLAIN.replace("2024-01-17", "17 Jan 2024"), {}, DatesError, "in two ways"),
    "day first, and it is not": (rows("%m/%d/%Y"), {"day_first": True}, DatesError, "is no date"),
    "a web page": ("<html><body><table><tr><td>1</td></tr></table></body></html>\n", {}, DataFileError,
                   "give separator="),
    "json": ('{"KO": [60.1, 60.4], "XOM": [99.5, 98.2]}\n', {}, EmptyDataError, "no row below it"),
    "a date in a cell": (PLAIN.replace("60.4", "2024-01-16"), {}, NotNumericError,
                         "'2024-01-16' on 2024-01-16"),
    "brackets for minus": (PLAIN.replace("60.4", "(60.4)"), {}, NotNumericError, "'(60.4)' on 2024-01-16"),
    "a letter for a zero": (PLAIN.replace("60.4", "6O.4"), {}, NotNumericError, "'6O.4' on 2024-01-16"),
    "a column without a name": (PLAIN.replace("XOM", ""), {}, UnknownNameError, "number 3 has no name"),
    "a dollar in each cell": (rows(number=lambda x: f"${x}"), {}, NotNumericError, "'$60.1' on 2024-01-15"),
    "half a line": (PLAIN.rstrip().rpartition(",")[0], {}, DataFileError, "is the file whole?"),
    "a row too short": (PLAIN.replace(",98.8", ""), {}, DataFileError, "row 4 has 2 fields and most have 3"),
    "thousands or fractions": ("Date;A;B\n2024-01-15;1,234;987\n2024-01-16;1,235;988\n", {}, NotNumericError,
                               "'1,234' is a thousand or a fraction"),
    "points of thousands": ("Date;A;B\n2024-01-15;1.234;987\n2024-01-16;1.235;988\n", {}, NotNumericError,
                            "'1.234' is a thousand or a fraction"),
    "every second day": ("Date,KO\n" + "".join(f"{d.date()},{60 + i % 3}\n" for i, d in
                         enumerate(pd.date_range("2020-01-01", periods=200, freq="2D"))), {}, CalendarError,
                         "give per_year="),
}


@pytest.mark.parametrize("name", SAME)
def test_read_as_the_plain_table(name, tmp_path):
    text, arguments, noted = SAME[name]
    path = tmp_path / "prices.csv"
    path.write_bytes(text.encode("utf-8"))
    table, notes = read_table(path, **arguments)
    assert list(table.columns) == ["KO", "XOM"] and (table.index == DAYS).all(), (table, notes)
    np.testing.assert_allclose(table.to_numpy(), np.column_stack([KO, XOM]), rtol=1e-12)
    assert noted in "; ".join(notes) and (noted or not notes)
    market = load_market(path, **arguments)
    assert market.notes[:len(notes)] == tuple(notes) and market.prices.equals(table)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_cure(name, tmp_path):
    text, arguments, error, words = REFUSED[name]
    path = tmp_path / "prices.parquet"
    if text is None: pd.DataFrame({"KO": KO}, pd.to_datetime(np.arange(8))).to_parquet(path)
    else:
        path = tmp_path / "prices.csv"
        path.write_text(text, encoding="utf-8")
    with pytest.raises(error) as caught: load_market(path, **arguments)
    assert any(word in str(caught.value)
               for word in words.split("|")) and path.name in str(caught.value), caught.value


@pytest.mark.parametrize("name", [f"prices.{kind}" for kind in ("csv", "csv.gz", "tsv", "parquet", "xlsx")])
def test_kinds_of_files(name, tmp_path):
    table = pd.DataFrame({"KO": KO, "XOM": XOM}, DAYS)
    if name.endswith("parquet"): table.to_parquet(tmp_path / name)
    elif name.endswith("xlsx"): table.to_excel(tmp_path / name, index_label="Date")
    else: table.to_csv(tmp_path / name, sep="\t" if "tsv" in name else ",", index_label="Date")
    assert np.array_equal(load_market(tmp_path / name).prices, table)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings(encoding, tmp_path):
    (tmp_path / "p.csv").write_bytes(PLAIN.replace("KO", "Übersee").encode(encoding))
    assert list(load_market(tmp_path / "p.csv").assets) == ["Übersee", "XOM"]


SHEETS = {  # rows of a sheet as people keep them -> what is noted, or the error and its cure
    "a title above": ([["Prices, adjusted"], [], ["Date", "KO", "XOM"]], "above the table"),
    "dates as text": ([["Date", "KO", "XOM"]], ""),
    "an error of a formula": ([["Date", "KO", "XOM"]], (MissingDataError, "KO")),
    "no number in it": ([["Date", "KO", "XOM"]], (NotNumericError, "KO")),
}


@pytest.mark.parametrize("name", SHEETS)
def test_sheets(name, tmp_path):
    from openpyxl import Workbook
    head, outcome = SHEETS[name]
    book = Workbook()
    for row in head: book.active.append(row)
    for d, a, b in zip(DAYS, KO, XOM, strict=True):
        book.active.append([str(d.date()) if "text" in name else d.to_pydatetime(), a, b])
    if "formula" in name: book.active["B6"] = "#DIV/0!"
    if "number" in name: book.active["B6"] = "n.v."
    book.create_sheet("Notes").append(["not read"])
    book.save(tmp_path / "p.xlsx")
    if isinstance(outcome, tuple):
        with pytest.raises(outcome[0], match=outcome[1]) as caught: load_market(tmp_path / "p.xlsx")
        assert "p.xlsx" in str(caught.value)
        return
    table, notes = read_table(tmp_path / "p.xlsx")
    np.testing.assert_allclose(table.to_numpy(), np.column_stack([KO, XOM]), rtol=1e-12)
    assert (table.index == DAYS).all() and outcome in "; ".join(notes) and (outcome or not notes)
