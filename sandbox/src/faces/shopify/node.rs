//! Values for the executor: objects with named fields, lists, and connections that are paged.

use std::rc::Rc;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Most rows of a page.
pub(super) const MOST_ROWS: usize = 250;
/// Stands between the code and the text of an error: a field error has no other place for a code.
pub(super) const CODE_END: char = '\u{1f}';

/// A field's value.
#[derive(Clone)]
pub(super) enum Field {
    Leaf(Value),
    Object(Rc<Node>),
    /// The argument `first` cuts it, `names` picks by the field `name`.
    List(Vec<Rc<Node>>),
    /// Nodes of a connection, and the most of them that a page has.
    Connection(Vec<Rc<Node>>, usize),
    /// Made when it is asked for. It may read the market: nothing is locked then.
    Later(Rc<dyn Fn() -> Field>),
    /// The token's scopes don't allow it.
    Denied(String),
}

impl Field {
    pub(super) fn connection(nodes: Vec<Node>, most: usize) -> Self {
        Self::Connection(nodes.into_iter().map(Rc::new).collect(), most)
    }
}

impl From<Node> for Field {
    fn from(node: Node) -> Self {
        Self::Object(Rc::new(node))
    }
}

impl From<Vec<Node>> for Field {
    fn from(nodes: Vec<Node>) -> Self {
        Self::List(nodes.into_iter().map(Rc::new).collect())
    }
}

impl<T: Into<Field>> From<Option<T>> for Field {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Leaf(Value::Null), Into::into)
    }
}

/// An object of a type of the schema.
#[derive(Clone)]
pub(super) struct Node {
    kind: &'static str,
    fields: Vec<(&'static str, Field)>,
}

impl Node {
    pub(super) fn new(kind: &'static str) -> Self {
        Self { kind, fields: Vec::new() }
    }

    /// Adds fields without arguments and selections from a JSON object.
    pub(super) fn leaves<const N: usize>(mut self, leaves: [(&'static str, Value); N]) -> Self {
        self.fields.extend(leaves.into_iter().map(|(name, value)| (name, Field::Leaf(value))));
        self
    }

    pub(super) fn with(mut self, name: &'static str, field: impl Into<Field>) -> Self {
        self.fields.push((name, field.into()));
        self
    }

    pub(super) fn connection(self, name: &'static str, nodes: Vec<Node>, most: usize) -> Self {
        self.with(name, Field::connection(nodes, most))
    }

    pub(super) fn later(self, name: &'static str, make: impl Fn() -> Field + 'static) -> Self {
        self.with(name, Field::Later(Rc::new(make)))
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|(known, _)| *known == name).map(|(_, field)| field)
    }

    fn leaf(&self, name: &str) -> Option<&Value> {
        match self.field(name)? {
            Field::Leaf(value) => Some(value),
            _ => None,
        }
    }
}

/// A node on its way out.
pub(super) struct Shown(pub(super) Rc<Node>);

impl ObjectValue for Shown {
    fn type_name(&self) -> &str {
        self.0.kind
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let field = self.0.field(info.field_name()).ok_or_else(|| self.unknown_field_error(info))?;
        field.resolve(info)
    }
}

impl Field {
    fn resolve<'a>(&self, info: &ResolveInfo<'_>) -> Result<ResolvedValue<'a>, FieldError> {
        match self {
            Self::Leaf(value) => Ok(leaf(value.clone())),
            Self::Object(node) => Ok(ResolvedValue::object(Shown(Rc::clone(node)))),
            Self::List(nodes) => Ok(list(picked(nodes, &arguments(info)?))),
            Self::Connection(nodes, most) => {
                let kind = info.field_definition().ty.inner_named_type().as_str();
                let page = Page::of_nested(kind, nodes, *most, &arguments(info)?)?;
                Ok(ResolvedValue::object(page))
            }
            Self::Later(make) => make().resolve(info),
            Self::Denied(access) => Err(denied(info.field_name(), access)),
        }
    }
}

pub(super) fn leaf<'a>(value: Value) -> ResolvedValue<'a> {
    match value {
        // The executor takes lists of scalars apart, too.
        Value::Array(values) => ResolvedValue::list(values.into_iter().map(leaf)),
        value => ResolvedValue::leaf(JsonValue::from(value)),
    }
}

fn list<'a>(nodes: Vec<Rc<Node>>) -> ResolvedValue<'a> {
    ResolvedValue::list(nodes.into_iter().map(|node| ResolvedValue::object(Shown(node))))
}

fn picked(nodes: &[Rc<Node>], arguments: &Value) -> Vec<Rc<Node>> {
    let names = arguments.get("names").and_then(Value::as_array);
    let named = |node: &&Rc<Node>| {
        names.is_none_or(|names| node.leaf("name").is_some_and(|name| names.contains(name)))
    };
    let first = arguments.get("first").and_then(Value::as_u64).map_or(usize::MAX, |first| first as usize);
    nodes.iter().filter(named).take(first).cloned().collect()
}

/// The arguments of a field, coerced to the schema.
pub(super) fn arguments(info: &ResolveInfo<'_>) -> Result<Value, FieldError> {
    serde_json::to_value(info.arguments()).map_err(|error| FieldError { message: error.to_string() })
}

/// An error with a code for its `extensions`.
pub(super) fn coded(code: &str, text: impl AsRef<str>) -> FieldError {
    FieldError { message: format!("{code}{CODE_END}{}", text.as_ref()) }
}

pub(super) fn denied(field: &str, access: &str) -> FieldError {
    let text = format!("Access denied for {field} field. Required access: {access}");
    coded("ACCESS_DENIED", text)
}

/// How many rows are asked for, from which end, and between which cursors.
#[derive(Debug)]
pub(super) struct Paging<'a> {
    pub(super) rows: usize,
    pub(super) from_end: bool,
    pub(super) after: Option<&'a str>,
    pub(super) before: Option<&'a str>,
}

impl<'a> Paging<'a> {
    pub(super) fn read(arguments: &'a Value) -> Result<Self, FieldError> {
        let number = |name: &str| arguments.get(name).and_then(Value::as_i64);
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        let (rows, from_end) = match (number("first"), number("last")) {
            (Some(first), None) => (first, false),
            (None, Some(last)) => (last, true),
            (None, None) => return Err(coded("BAD_REQUEST", "you must provide one of first or last")),
            (Some(_), Some(_)) => {
                return Err(coded("BAD_REQUEST", "providing both first and last is not supported"));
            }
        };
        let within = usize::try_from(rows).ok().filter(|rows| *rows <= MOST_ROWS);
        let rows = within
            .ok_or_else(|| coded("BAD_REQUEST", format!("{rows} must be between 0 and {MOST_ROWS}")))?;
        Ok(Self { rows, from_end, after: text("after"), before: text("before") })
    }
}

/// One page of a connection.
pub(super) struct Page {
    kind: String,
    rows: Vec<(String, Rc<Node>)>,
    has_next: bool,
    has_previous: bool,
}

impl Page {
    /// Of rows with their cursors, of which `paging` asks for some. `most` makes pages smaller than asked for.
    pub(super) fn of(
        kind: &str,
        mut rows: Vec<(String, Rc<Node>)>,
        before_them: bool,
        paging: &Paging<'_>,
        most: usize,
    ) -> Self {
        let size = paging.rows.min(most);
        let too_many = rows.len().saturating_sub(size);
        let (mut has_next, mut has_previous) = (false, before_them);
        if paging.from_end {
            has_previous |= too_many > 0;
            has_next = paging.before.is_some();
            rows.drain(..too_many);
        } else {
            has_next |= too_many > 0;
            rows.truncate(size);
        }
        Self { kind: kind.to_owned(), rows, has_next, has_previous }
    }

    fn of_nested(kind: &str, nodes: &[Rc<Node>], most: usize, arguments: &Value) -> Result<Self, FieldError> {
        let paging = Paging::read(arguments)?;
        let place = |cursor: Option<&str>| match cursor {
            None => Ok(None),
            Some(cursor) => read_cursor(cursor)
                .and_then(|cursor| cursor.get("last_id")?.as_u64())
                .map(|place| Some(place as usize))
                .ok_or_else(bad_cursor),
        };
        let from = place(paging.after)?.unwrap_or(0);
        let until =
            place(paging.before)?.map_or(nodes.len(), |place| place.saturating_sub(1).min(nodes.len()));
        let rows = nodes.iter().enumerate().take(until).skip(from);
        let rows = rows.map(|(at, node)| (cursor(&json!({ "last_id": at + 1 })), Rc::clone(node))).collect();
        Ok(Self::of(kind, rows, from > 0, &paging, most))
    }

    fn edge_kind(&self) -> String {
        self.kind.replace("Connection", "Edge")
    }
}

pub(super) fn cursor(value: &Value) -> String {
    STANDARD.encode(value.to_string())
}

pub(super) fn read_cursor(text: &str) -> Option<Value> {
    serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()
}

pub(super) fn bad_cursor() -> FieldError {
    coded("BAD_REQUEST", "Invalid cursor for current pagination sort.")
}

impl ObjectValue for Page {
    fn type_name(&self) -> &str {
        &self.kind
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "nodes" => Ok(list(self.rows.iter().map(|(_, node)| Rc::clone(node)).collect())),
            "edges" => {
                let edge = |(cursor, node): &(String, Rc<Node>)| {
                    let (kind, cursor, node) = (self.edge_kind(), cursor.clone(), Rc::clone(node));
                    ResolvedValue::object(Edge { kind, cursor, node })
                };
                Ok(ResolvedValue::list(self.rows.iter().map(edge).collect::<Vec<_>>()))
            }
            "pageInfo" => {
                let page_info = Node::new("PageInfo").leaves([
                    ("hasNextPage", json!(self.has_next)),
                    ("hasPreviousPage", json!(self.has_previous)),
                    ("startCursor", json!(self.rows.first().map(|(cursor, _)| cursor))),
                    ("endCursor", json!(self.rows.last().map(|(cursor, _)| cursor))),
                ]);
                Ok(ResolvedValue::object(Shown(Rc::new(page_info))))
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct Edge {
    kind: String,
    cursor: String,
    node: Rc<Node>,
}

impl ObjectValue for Edge {
    fn type_name(&self) -> &str {
        &self.kind
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "cursor" => Ok(leaf(json!(self.cursor))),
            "node" => Ok(ResolvedValue::object(Shown(Rc::clone(&self.node)))),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}
