//! Partial responses: `responseFields=total,items(id,total)` (sheet "Hosts and transport"). Pure.

use serde_json::{Map, Value};

use super::answer::Failure;

/// Names with what is asked for below them; nothing means all.
type Names = Vec<(String, Option<Wanted>)>;

/// The fields that a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted(Names);

impl Wanted {
    pub(super) fn read(text: &str) -> Result<Self, Failure> {
        let mut rest = text;
        let names = read_names(&mut rest, 0);
        match names {
            Some(names) if rest.is_empty() => Ok(Self(names)),
            _ => Err(Failure::wrong("Wrong value of parameter 'responseFields'")),
        }
    }

    /// What is left of an answer. Names that it does not have are left out.
    pub(super) fn of(&self, value: Value) -> Value {
        match value {
            Value::Array(rows) => rows.into_iter().map(|row| self.of(row)).collect(),
            Value::Object(mut fields) => {
                let mut kept = Map::new();
                for (name, below) in &self.0 {
                    let Some(value) = fields.remove(name) else { continue };
                    let value = below.as_ref().map_or_else(|| value.clone(), |below| below.of(value.clone()));
                    kept.insert(name.clone(), value);
                }
                Value::Object(kept)
            }
            plain => plain,
        }
    }
}

/// Deeper nesting than any answer has is refused.
const DEEPEST: usize = 16;

fn read_names(rest: &mut &str, depth: usize) -> Option<Names> {
    let mut names = Vec::new();
    if depth > DEEPEST {
        return None;
    }
    loop {
        let end = rest.find([',', '(', ')']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        *rest = after;
        if name.trim().is_empty() {
            return None;
        }
        let mut below = None;
        if let Some(inner) = rest.strip_prefix('(') {
            *rest = inner;
            below = Some(Wanted(read_names(rest, depth + 1)?));
            *rest = rest.strip_prefix(')')?;
        }
        names.push((name.trim().to_owned(), below));
        match rest.strip_prefix(',') {
            Some(next) => *rest = next,
            None => return Some(names),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_named_is_left() {
        let wanted = Wanted::read("total,items(id,combinations(id)),nothing").unwrap();
        let answer = json!({ "total": 1, "count": 1, "items": [{ "id": 7, "sku": "A", "combinations": [{ "id": 8, "sku": "B" }] }] });
        assert_eq!(
            wanted.of(answer),
            json!({ "total": 1, "items": [{ "id": 7, "combinations": [{ "id": 8 }] }] })
        );
    }

    #[test]
    fn what_does_not_close_is_refused() {
        let deep = "a(".repeat(10_000);
        for text in ["items(id", "items)", "a,,b", "items()", "(a)", deep.as_str()] {
            assert!(Wanted::read(text).is_err());
        }
    }
}
