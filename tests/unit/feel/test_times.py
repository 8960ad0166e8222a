"""The functions on dates, times and durations, and what stands behind a point."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.feel import Budget, Value, YearsMonths, admit, compile_expression
from pilothouse.feel.functions.registry import call
from pilothouse.feel.functions.times import TIMES
from pilothouse.feel.members import member
from pilothouse.feel.signs import Operator
from pilothouse.feel.temporal import Date, DateTime, DaysTime, Region, Time, read_moment, written
from pilothouse.feel.values import Range

NOW = datetime(2026, 1, 5, 23, 30, tzinfo=timezone(timedelta(hours=2)))


def moment(text: str) -> Value:
    found = read_moment(text)
    assert found is not None, text
    return found


def called(name: str, *arguments: Value, budget: Budget | None = None) -> Value:
    return call(TIMES.functions[name], arguments, (), budget or Budget(now=NOW))


def numbers(*values: float) -> tuple[Decimal, ...]:
    return tuple(Decimal(str(value)) for value in values)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("date", ("2026-01-05",), "2026-01-05"),
        ("date", (moment("2026-01-05T10:00:00Z"),), "2026-01-05"),
        ("date", (moment("2026-01-05"),), "2026-01-05"),
        ("date", (("2026-01-05",),), "2026-01-05"),
        ("date", numbers(2026, 1, 5), "2026-01-05"),
        ("date", numbers(-999_999_999, 1, 1), "-999999999-01-01"),
        ("date", numbers(0, 2, 29), "0000-02-29"),
        ("time", ("11:22:33.123456789",), "11:22:33.123456789"),
        ("time", (moment("2026-01-05T10:20:00@Europe/Paris"),), "10:20:00@Europe/Paris"),
        ("time", (moment("2026-01-05"),), "00:00:00Z"),
        ("time", (moment("10:00:00"),), "10:00:00"),
        ("time", numbers(12, 59, 1.3), "12:59:01.3"),
        ("time", (*numbers(12, 0, 0), None), "12:00:00"),
        ("time", (*numbers(11, 59, 45), moment("PT0H")), "11:59:45Z"),
        ("time", (*numbers(11, 59, 45), moment("-PT2H45M55S")), "11:59:45-02:45:55"),
        ("date and time", ("2026-01-05T24:00:00",), "2026-01-06T00:00:00"),
        ("date and time", (moment("2026-01-05T10:00:00Z"),), "2026-01-05T10:00:00Z"),
        (
            "date and time",
            (moment("2026-01-05T10:00:00Z"), moment("09:15:30")),
            "2026-01-05T09:15:30",
        ),
        ("date and time", (moment("2026-01-05"), moment("09:15:30Z")), "2026-01-05T09:15:30Z"),
        ("duration", ("P1DT12H",), "P1DT12H"),
        ("duration", ("-P14M",), "-P1Y2M"),
        ("duration", (moment("P1Y"),), "P1Y"),
        ("years and months duration", (moment("2011-12-22"), moment("2013-08-24")), "P1Y8M"),
        ("years and months duration", (moment("2013-08-24"), moment("2011-12-22")), "-P1Y8M"),
        ("years and months duration", (moment("2024-01-31"), moment("2024-02-29")), "P0M"),
        (
            "years and months duration",
            (moment("2015-12-24T00:00:01-01:00"), moment("2016-12-24T23:59:00-08:00")),
            "P1Y",
        ),
        (
            "years and months duration",
            (moment("-999999999-01-01"), moment("999999999-12-31T23:59:59")),
            "P1999999998Y11M",
        ),
        ("now", (), "2026-01-05T23:30:00+02:00"),
        ("today", (), "2026-01-05"),
    ],
)
def test_moments_are_made(name: str, arguments: tuple[Value, ...], expected: str) -> None:
    found = called(name, *arguments)
    assert isinstance(found, (Date, DateTime, Time, DaysTime, YearsMonths))
    assert written(found) == expected


@pytest.mark.parametrize(
    ("name", "named", "expected"),
    [
        ("date", {"from": "2026-01-05"}, "2026-01-05"),
        (
            "date",
            dict(zip(("day", "month", "year"), numbers(5, 1, 2026), strict=True)),
            "2026-01-05",
        ),
        ("time", {"from": "12:45:00"}, "12:45:00"),
        (
            "time",
            {"hour": Decimal(1), "minute": Decimal(2), "second": Decimal(0)},
            "01:02:00",
        ),
        (
            "time",
            {
                "hour": Decimal(1),
                "minute": Decimal(2),
                "second": Decimal(0),
                "offset": moment("-PT2H"),
            },
            "01:02:00-02:00",
        ),
        ("date and time", {"from": "2026-01-05T00:00:00"}, "2026-01-05T00:00:00"),
        (
            "date and time",
            {"date": moment("2026-01-05"), "time": moment("10:00:00")},
            "2026-01-05T10:00:00",
        ),
        ("duration", {"from": "P26M"}, "P2Y2M"),
        (
            "years and months duration",
            {"to": moment("2026-01-05"), "from": moment("2025-01-05")},
            "P1Y",
        ),
    ],
)
def test_moments_are_made_by_named_parameters(
    name: str, named: dict[str, Value], expected: str
) -> None:
    found = call(TIMES.functions[name], tuple(named.values()), tuple(named), Budget())
    assert isinstance(found, (Date, DateTime, Time, DaysTime, YearsMonths))
    assert written(found) == expected


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("date", ("2026-02-29",), 'date("2026-02-29") has no value'),
        ("date", (Decimal(2026),), "date() has no value: 'from' cannot be a number"),
        ("date", (None,), "cannot be null"),
        ("date", ((),), "cannot be a list"),
        ("date", numbers(2026, 2, 29), "there is no such day"),
        ("date", numbers(1_000_000_000, 1, 1), "there is no such day"),
        ("date", numbers(2026.5, 1, 1), "'year' must be a whole number"),
        ("date", (*numbers(2026, 1), None), "'day' must be a whole number, not null"),
        ("date", numbers(2026, 1), "cannot take 2 arguments"),
        ("date", (), "cannot take 0 arguments"),
        ("time", ("7:00:00",), 'time("7:00:00") has no value'),
        ("time", ("x" * 100,), f'time("{"x" * 60}…") has no value'),
        ("time", (Decimal(2017),), "'from' cannot be a number"),
        ("time", (*numbers(24, 0, 0), None), "no clock shows it"),
        ("time", (*numbers(-1, 0, 0), None), "no clock shows it"),
        ("time", (*numbers(23, 60, 0), None), "no clock shows it"),
        ("time", (*numbers(23, 59, 60), None), "no clock shows it"),
        ("time", numbers(1, 2, 0.1234567891), "no clock shows it"),
        ("time", (None, *numbers(11, 45), None), "'hour' must be a whole number, not null"),
        ("time", (*numbers(12, 0), None, moment("P0D")), "'second' must be a number, not null"),
        ("time", (*numbers(12, 0, 0), moment("PT15H")), "its offset is beyond 14 hours"),
        ("time", (*numbers(12, 0, 0), moment("PT0.5S")), "or not in seconds"),
        ("time", (*numbers(12, 0, 0), Decimal(1)), "'offset' cannot be a number"),
        ("date and time", ("2026-01-05 10:00:00",), "is not a date and time"),
        ("date and time", (moment("2026-01-05"),), "'from' cannot be a date"),
        ("date and time", ("2026-01-05", moment("10:00:00")), "'date' cannot be a string"),
        ("date and time", (moment("2026-01-05"), "10:00:00"), "'time' cannot be a string"),
        ("date and time", (moment("2026-01-05"), None), "'time' cannot be null"),
        ("duration", ("P",), 'duration("P") has no value'),
        ("duration", (Decimal(1),), "'from' cannot be a number"),
        ("years and months duration", ("2026-01-05", moment("2026-01-05")), "cannot be a string"),
        ("years and months duration", (moment("2026-01-05"), None), "'to' cannot be null"),
        ("day of week", ("foo",), "'date' cannot be a string"),
        ("day of year", (None,), "'date' cannot be null"),
        ("week of year", (moment("10:00:00"),), "'date' cannot be a time"),
        ("month of year", (moment("P1D"),), "'date' cannot be a days and time duration"),
        ("now", (Decimal(1),), "cannot take 1 argument"),
    ],
)
def test_what_cannot_be_made_is_null_with_its_reason(
    name: str, arguments: tuple[Value, ...], problem: str
) -> None:
    budget = Budget(now=NOW)
    assert called(name, *arguments, budget=budget) is None
    assert problem in budget.nulls[0].problem


@pytest.mark.parametrize("name", ["now", "today"])
def test_without_a_clock_there_is_no_present(name: str) -> None:
    budget = Budget()
    assert called(name, budget=budget) is None
    assert "was given no time" in budget.nulls[0].problem


@pytest.mark.parametrize(
    ("text", "week"),
    [
        *(("2019-09-17", 38), ("2003-12-29", 1), ("2004-01-04", 1)),
        *(("2005-01-01", 53), ("2005-01-03", 1), ("2005-01-09", 1), ("12005-01-01T00:00:00", 53)),
    ],
)
def test_weeks_are_counted_by_iso_8601(text: str, week: int) -> None:
    assert called("week of year", moment(text)) == week


@given(st.dates(), st.integers(-1_000_000, 1_000_000))
def test_days_are_named_as_python_names_them_in_every_span_of_400_years(
    day: date, cycles: int
) -> None:
    far = Date(year=day.year + 400 * cycles, month=day.month, day=day.day)
    assert called("day of week", far) == f"{day:%A}"
    assert called("month of year", far) == f"{day:%B}"
    assert called("day of year", far) == day.timetuple().tm_yday
    assert called("week of year", far) == day.isocalendar().week
    assert member(far, "weekday", Budget()) == day.isoweekday()


@given(st.dates(), st.dates())
def test_whole_months_lie_between_two_dates(start: date, end: date) -> None:
    first, last = (admit(day, name="day", budget=Budget()) for day in (start, end))
    found = called("years and months duration", first, last)
    assert isinstance(found, YearsMonths)
    ahead = (end.year - start.year) * 12 + end.month - start.month
    assert abs(ahead) - 1 <= abs(found.months) <= abs(ahead)
    assert (found.months == ahead) is (ahead == 0 or (end.day - start.day) * ahead >= 0)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("2018-12-10", "year", Decimal(2018)),
        ("-0044-03-15", "year", Decimal(-44)),
        ("2018-12-10", "month", Decimal(12)),
        ("2018-12-10", "day", Decimal(10)),
        ("2018-12-10", "weekday", Decimal(1)),
        ("2018-12-10T10:30:01", "weekday", Decimal(1)),
        ("2018-12-10T10:30:01", "hour", Decimal(10)),
        ("2018-12-10T10:30:01", "minute", Decimal(30)),
        ("2018-12-10T10:30:01.25", "second", Decimal("1.25")),
        ("23:59:59.000000001", "second", Decimal("59.000000001")),
        ("2018-12-10T10:30:00+05:00", "time offset", moment("PT5H")),
        ("2018-12-10T10:30:00@Europe/Paris", "time offset", moment("PT1H")),
        ("2018-07-10T10:30:00@Europe/Paris", "time offset", moment("PT2H")),
        ("10:30:00@Etc/UTC", "time offset", moment("PT0S")),
        ("10:30:00-02:45:55", "time offset", moment("-PT2H45M55S")),
        ("10:30:00@Europe/Paris", "timezone", "Europe/Paris"),
        ("P1DT2H", "days", Decimal(1)),
        ("P1DT2H", "hours", Decimal(2)),
        ("PT61M", "minutes", Decimal(1)),
        ("-PT1M30.5S", "seconds", Decimal("-30.5")),
        ("-PT1M30.5S", "minutes", Decimal(-1)),
        ("P14M", "years", Decimal(1)),
        ("-P14M", "years", Decimal(-1)),
        ("-P14M", "months", Decimal(-2)),
    ],
)
def test_moments_have_parts(text: str, name: str, expected: Value) -> None:
    assert member(moment(text), name, Budget()) == expected


@pytest.mark.parametrize(
    ("value", "name", "problem"),
    [
        (moment("P1Y"), "days", "years and months duration has no member 'days'"),
        (moment("P1D"), "years", "days and time duration has no member 'years'"),
        (moment("2018-12-10"), "hour", "date has no member 'hour'"),
        (moment("10:30:00"), "time offset", "this time has no time offset"),
        (moment("10:30:00@Europe/Paris"), "time offset", "this time has no time offset"),
        (moment("10:30:00Z"), "timezone", "this time has no timezone"),
        ({"a": None}, "b", "the context has no entry 'b'"),
        (None, "b", "null has no member 'b'"),
        ("text", "length", "string has no member 'length'"),
    ],
)
def test_a_part_that_is_not_there_is_null_with_its_reason(
    value: Value, name: str, problem: str
) -> None:
    budget = Budget()
    assert member(value, name, budget) is None
    assert budget.nulls[0].problem == problem


def test_an_entry_that_is_null_needs_no_reason() -> None:
    budget = Budget()
    assert member({"a": None}, "a", budget) is None
    assert budget.nulls == ()


def test_parts_of_a_list_are_those_of_its_items() -> None:
    days: Value = (moment("2018-12-10"), moment("2019-01-01"))
    assert member(days, "year", Budget()) == (Decimal(2018), Decimal(2019))


@pytest.mark.parametrize(
    ("bounds", "parts"),
    [
        (Range(start=Decimal(1), end=Decimal(9), end_included=False), (True, 1, 9, False)),
        (Range.compared(Operator.LESS, Decimal(10)), (False, None, 10, False)),
        (Range.compared(Operator.AT_MOST, Decimal(10)), (False, None, 10, True)),
        (Range.compared(Operator.MORE, Decimal(10)), (False, 10, None, False)),
        (Range.compared(Operator.AT_LEAST, Decimal(10)), (True, 10, None, False)),
        (Range.compared(Operator.EQUAL, Decimal(10)), (True, 10, 10, True)),
    ],
)
def test_ranges_have_ends(bounds: Range, parts: tuple[object, ...]) -> None:
    names = ("start included", "start", "end", "end included")
    assert tuple(member(bounds, name, Budget()) for name in names) == parts


def test_the_time_of_a_repeated_hour_no_longer_says_which() -> None:
    at = DateTime(
        date=Date(year=2026, month=10, day=25),
        time=Time(nanoseconds=0, zone=Region(name="Europe/Berlin", later=True)),
    )
    assert called("time", at) == Time(nanoseconds=0, zone=Region(name="Europe/Berlin"))


@pytest.mark.parametrize(
    "text",
    [
        'date("2026-01-05") + duration("P1M") = @"2026-02-05"',
        'date(2026, 1, 5) in [date("2026-01-01")..date("2026-12-31")]',
        'date("2026-01-05") < date("2026-01-06")',
        'time("23:59:00z") + duration("PT2M") = time("00:01:00@Etc/UTC")',
        'date and time("2012-12-24T23:59:00") + duration("PT1M") = date and time("2012-12-25T00:00:00")',
        'string(@"2026-01-05T10:00:00.250Z") = "2026-01-05T10:00:00.25Z"',
        '-@"P1D" = duration("-P1D")',
        'x - y < @"P7D" and x.weekday = 1',
    ],
)
def test_expressions_count_with_time(text: str) -> None:
    context = {"x": datetime(2026, 1, 5, tzinfo=NOW.tzinfo), "y": date(2026, 1, 1)}
    assert compile_expression(text).evaluate(context) is True
