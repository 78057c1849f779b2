//! What a query costs (sheet section 3). Objects cost 1, connections 2 and their nodes by the logarithm of the page,
//! mutations 10, scalars nothing. The requested cost is told from the document, the actual one from the answer.

use apollo_compiler::executable::{Field, Selection, SelectionSet, Value as Literal};
use apollo_compiler::response::JsonMap;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::Value;

/// Points of a mutation, whatever it returns.
const MUTATION: u64 = 10;
/// Points of a connection beside its nodes.
const CONNECTION: u64 = 2;

/// What the cost is told from.
pub(super) struct Basis<'a> {
    pub(super) schema: &'a Schema,
    pub(super) document: &'a ExecutableDocument,
    pub(super) variables: &'a JsonMap,
}

impl Basis<'_> {
    /// The highest cost that the operation can have.
    pub(super) fn requested(&self, root: &SelectionSet) -> u64 {
        self.selections(root, None)
    }

    /// The cost of what was answered.
    pub(super) fn actual(&self, root: &SelectionSet, data: &Value) -> u64 {
        self.selections(root, Some(data))
    }

    fn selections(&self, set: &SelectionSet, data: Option<&Value>) -> u64 {
        let is_mutation = set.ty.as_str() == "Mutation";
        let cost = |selection: &Selection| match selection {
            Selection::Field(_) if is_mutation => MUTATION,
            Selection::Field(field) => self.field(field, data),
            Selection::InlineFragment(fragment) => self.selections(&fragment.selection_set, data),
            Selection::FragmentSpread(spread) => spread
                .fragment_def(self.document)
                .map(|fragment| self.selections(&fragment.selection_set, data))
                .unwrap_or_default(),
        };
        set.selections.iter().map(cost).fold(0, u64::saturating_add)
    }

    fn field(&self, field: &Field, data: Option<&Value>) -> u64 {
        let kind = field.definition.ty.inner_named_type();
        if self.schema.get_object(kind).is_none() || kind.as_str() == "PageInfo" {
            return 0;
        }
        let value = data.map(|data| data.get(field.response_key().as_str()).unwrap_or(&Value::Null));
        if value.is_some_and(Value::is_null) {
            return 0;
        }
        if kind.as_str().ends_with("Connection") {
            let size = match value {
                Some(value) => rows(value),
                None => self.page_size(field),
            };
            let nodes = self.selections(&field.selection_set, value);
            return CONNECTION.saturating_add(nodes.saturating_mul(scaled(size)));
        }
        let children = match value {
            Some(Value::Array(rows)) => {
                rows.iter().map(|row| self.selections(&field.selection_set, Some(row))).max().unwrap_or(0)
            }
            value => self.selections(&field.selection_set, value),
        };
        children.saturating_add(1)
    }

    fn page_size(&self, field: &Field) -> u64 {
        let argument = |name: &str| match field.specified_argument_by_name(name)?.as_ref() {
            Literal::Int(number) => number.try_to_i32().ok().map(i64::from),
            Literal::Variable(name) => self.variables.get(name.as_str())?.as_i64(),
            _ => None,
        };
        let size = argument("first").or_else(|| argument("last")).unwrap_or(1);
        u64::try_from(size).unwrap_or(0)
    }
}

/// How many rows a page has, by `nodes` or `edges` under whatever name.
fn rows(page: &Value) -> u64 {
    let lists = page.as_object().into_iter().flat_map(|page| page.values()).filter_map(Value::as_array);
    lists.map(Vec::len).max().unwrap_or(0) as u64
}

/// How often the nodes of a page count.
fn scaled(size: u64) -> u64 {
    if size == 0 { 0 } else { (2.0 * (size.max(2) as f64).ln()).floor() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_count_by_their_logarithm() {
        for (size, times) in [(0, 0), (1, 1), (2, 1), (10, 4), (50, 7), (250, 11)] {
            assert_eq!(scaled(size), times, "{size}");
        }
    }
}
