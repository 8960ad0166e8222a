"""
Dates, times and durations, as FEEL has them.

`moments` holds the values, `zones` where their clocks are, `years` the calendar; `reading` and `writing` are their
texts, `counting` adds and subtracts, `ordering` compares, `python_times` takes Python's own in. Source: DMN 1.5, sections
10.3.2.3.4 to 10.3.2.3.8.
"""

from __future__ import annotations

from pilothouse.feel.temporal.counting import (
    at_midnight,
    difference,
    negated,
    shifted,
    whole_months,
)
from pilothouse.feel.temporal.moments import (
    DAY,
    NANOSECONDS,
    Date,
    DateTime,
    DaysTime,
    Duration,
    Moment,
    Time,
    YearsMonths,
    date_at,
    date_of,
    days_time,
    years_months,
)
from pilothouse.feel.temporal.ordering import LOCAL, UTC_LINE, moment_key, wall_key
from pilothouse.feel.temporal.python_times import (
    from_date,
    from_datetime,
    from_time,
    from_timedelta,
)
from pilothouse.feel.temporal.reading import (
    read_date,
    read_date_and_time,
    read_duration,
    read_moment,
    read_time,
)
from pilothouse.feel.temporal.writing import written
from pilothouse.feel.temporal.years import twin
from pilothouse.feel.temporal.zones import (
    LARGEST_OFFSET,
    UNIVERSAL,
    Offset,
    Region,
    Zone,
    as_written,
    constant_offset,
)

__all__ = [
    "DAY",
    "LARGEST_OFFSET",
    "LOCAL",
    "NANOSECONDS",
    "UNIVERSAL",
    "UTC_LINE",
    "Date",
    "DateTime",
    "DaysTime",
    "Duration",
    "Moment",
    "Offset",
    "Region",
    "Time",
    "YearsMonths",
    "Zone",
    "as_written",
    "at_midnight",
    "constant_offset",
    "date_at",
    "date_of",
    "days_time",
    "difference",
    "from_date",
    "from_datetime",
    "from_time",
    "from_timedelta",
    "moment_key",
    "negated",
    "read_date",
    "read_date_and_time",
    "read_duration",
    "read_moment",
    "read_time",
    "shifted",
    "twin",
    "wall_key",
    "whole_months",
    "written",
    "years_months",
]
