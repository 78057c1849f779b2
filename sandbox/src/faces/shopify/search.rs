//! Search terms (sheet 4.1): `field:value` with comparisons and quotes, joined by spaces. Pure.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One term. Its field is empty for plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) field: String,
    pub(super) comparison: Comparison,
    pub(super) value: String,
}

/// Reads the terms of a query.
pub(super) fn parse(query: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut rest = query.trim_start();
    while !rest.is_empty() {
        let (term, after) = read_term(rest);
        if !(term.field.is_empty() && term.value == "AND") {
            terms.push(term);
        }
        rest = after.trim_start();
    }
    terms
}

impl Term {
    /// The word between two alternatives.
    pub(super) fn is_or(&self) -> bool {
        self.field.is_empty() && self.value == "OR"
    }
}

/// Whether one of the alternatives fits, with all of its terms: AND binds closer than OR.
pub(super) fn any_fits(terms: &[Term], fits: impl Fn(&Term) -> bool) -> bool {
    terms.split(Term::is_or).any(|terms| terms.iter().all(&fits))
}

fn read_term(text: &str) -> (Term, &str) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let name_end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, after) = text.split_at(name_end);
    if !name.is_empty()
        && let Some(after) = after.strip_prefix(':')
    {
        let (comparison, after) = read_comparison(after);
        let (value, after) = read_value(after);
        return (Term { field: name.to_owned(), comparison, value }, after);
    }
    let (value, after) = read_value(text);
    (Term { field: String::new(), comparison: Comparison::Equal, value }, after)
}

fn read_comparison(text: &str) -> (Comparison, &str) {
    for (sign, comparison) in [
        (">=", Comparison::GreaterOrEqual),
        ("<=", Comparison::LessOrEqual),
        (">", Comparison::Greater),
        ("<", Comparison::Less),
    ] {
        if let Some(after) = text.strip_prefix(sign) {
            return (comparison, after);
        }
    }
    (Comparison::Equal, text)
}

fn read_value(text: &str) -> (String, &str) {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let Some(quote) = quote else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            _ if c == quote => return (value, &text[at + c.len_utf8()..]),
            _ => value.push(c),
        }
    }
    (value, "")
}

impl Term {
    /// Whether an ordered value fits. A bare day stands for its whole length.
    pub(super) fn fits_time(&self, time: DateTime<Utc>) -> Option<bool> {
        let (start, end) = read_time(&self.value)?;
        // Times are shown in whole seconds, so fractions don't count.
        let time = DateTime::from_timestamp(time.timestamp(), 0)?;
        Some(match self.comparison {
            Comparison::Equal => start <= time && time < end,
            Comparison::Less => time < start,
            Comparison::LessOrEqual => time < end,
            Comparison::Greater => time >= end,
            Comparison::GreaterOrEqual => time >= start,
        })
    }

    pub(super) fn fits_number(&self, number: i64) -> Option<bool> {
        let value: i64 = self.value.parse().ok()?;
        Some(match self.comparison {
            Comparison::Equal => number == value,
            Comparison::Less => number < value,
            Comparison::LessOrEqual => number <= value,
            Comparison::Greater => number > value,
            Comparison::GreaterOrEqual => number >= value,
        })
    }
}

/// From (inclusive) and until (exclusive): a second, or a day.
fn read_time(text: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let start = day.and_time(NaiveTime::MIN).and_utc();
        return Some((start, start.checked_add_signed(TimeDelta::days(1))?));
    }
    let start = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    Some((start, start.checked_add_signed(TimeDelta::seconds(1))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_with_comparisons_and_quotes() {
        let terms = parse("status:open created_at:>='2026-11-20T00:00:00Z' AND sku:\"a b\\\"c\" word");
        let shown: Vec<_> = terms.iter().map(|term| (&*term.field, term.comparison, &*term.value)).collect();
        assert_eq!(
            shown,
            [
                ("status", Comparison::Equal, "open"),
                ("created_at", Comparison::GreaterOrEqual, "2026-11-20T00:00:00Z"),
                ("sku", Comparison::Equal, "a b\"c"),
                ("", Comparison::Equal, "word"),
            ]
        );
        assert_eq!(parse("  "), []);
        assert_eq!(parse("a:'open")[0].value, "open");
        assert_eq!(parse("日本語:x")[0].field, "");
    }

    #[test]
    fn times_are_compared_to_the_second_and_days_as_a_whole() {
        let fits = |term: &str, time: &str| parse(term)[0].fits_time(time.parse().unwrap());
        let second = "2026-11-20T00:00:01.5Z";
        assert_eq!(fits("t:>='2026-11-20T00:00:01Z'", second), Some(true));
        assert_eq!(fits("t:>'2026-11-20T00:00:01Z'", second), Some(false));
        assert_eq!(fits("t:<='2026-11-20T00:00:01Z'", second), Some(true));
        assert_eq!(fits("t:<'2026-11-20T00:00:01Z'", second), Some(false));
        assert_eq!(fits("t:2026-11-20", second), Some(true));
        assert_eq!(fits("t:>2026-11-20", second), Some(false));
        assert_eq!(fits("t:<=2026-11-20", second), Some(true));
        assert_eq!(fits("t:yesterday", second), None);
    }
}
