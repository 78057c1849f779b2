//! Texts for a database that can't hold the character NUL. The order of texts by bytes stays what it was.

use std::borrow::Cow;

const MARK: char = '\u{1}';

/// A text as it is stored.
pub(super) fn stored(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', MARK]) {
        return Cow::Borrowed(text);
    }
    let mut stored = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\0' => stored.extend([MARK, '\u{1}']),
            MARK => stored.extend([MARK, '\u{2}']),
            c => stored.push(c),
        }
    }
    Cow::Owned(stored)
}

/// A stored text as it was.
pub(super) fn read(stored: &str) -> String {
    let mut text = String::with_capacity(stored.len());
    let mut chars = stored.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            MARK if chars.next() == Some('\u{1}') => '\0',
            c => c,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_sorts_as_before() {
        let mut texts =
            ["", "\0", "\0\0", "\0a", "\u{1}", "\u{1}\0", "\u{1}\u{1}", "\u{2}", "a", "a\0b", "주문"];
        texts.sort_unstable();
        let all: Vec<String> = texts.iter().map(|text| stored(text).into_owned()).collect();
        assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
        for (text, stored) in texts.iter().zip(&all) {
            assert!(!stored.contains('\0'));
            assert_eq!(read(stored), *text);
        }
    }
}
