//! Statements for several rows at once, in few different sizes. No I/O.

use std::ops::Range;

/// Most rows of one statement.
pub(super) const BATCH: usize = 64;

/// Cuts `len` rows into batches whose sizes are powers of two, so that few different statements are prepared.
pub(super) fn batches(len: usize) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = len - from;
        if rest == 0 {
            return None;
        }
        let size = BATCH.min(1 << rest.ilog2());
        from += size;
        Some(from - size..from)
    })
}

/// A list for `IN (...)`, filled up with its last entry to a power of two: repeats find nothing more.
pub(super) fn filled<T>(list: &[T]) -> impl Iterator<Item = &T> {
    let size = if list.is_empty() { 0 } else { list.len().next_power_of_two() };
    list.iter().chain(list.last().into_iter().cycle()).take(size)
}

/// `(?, ?), (?, ?)`: rows of columns.
pub(super) fn values(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

/// `?2, ?3, ?4`: parameters from a number on.
pub(super) fn parameters(from: usize, count: usize) -> String {
    let numbered: Vec<String> = (from..from + count).map(|n| format!("?{n}")).collect();
    numbered.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_cover_every_row_once_in_few_sizes() {
        for len in 0..300 {
            let mut next = 0;
            for range in batches(len) {
                assert_eq!(range.start, next);
                assert!(range.len().is_power_of_two() && range.len() <= BATCH);
                next = range.end;
            }
            assert_eq!(next, len);
        }
    }

    #[test]
    fn lists_are_filled_up_with_their_last_entry() {
        assert_eq!(filled(&[1, 2, 3]).copied().collect::<Vec<_>>(), [1, 2, 3, 3]);
        assert_eq!(filled(&[1]).count(), 1);
        assert_eq!(filled::<u8>(&[]).count(), 0);
    }
}
