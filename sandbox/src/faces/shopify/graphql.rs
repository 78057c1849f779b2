//! From the body of a request to its answer: parse, validate, price, execute.

use std::sync::LazyLock;

use apollo_compiler::executable::{Operation, Selection, SelectionSet, Value as Literal};
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::Execution;
use apollo_compiler::response::{GraphQLError, JsonMap};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::answer::{json_response, refused};
use super::bucket::Bucket;
use super::cost::Basis;
use super::desk::Visit;
use super::node::{CODE_END, MOST_ROWS};
use super::root::Root;
use crate::lock;

const SCOPES_PAGE: &str = "https://shopify.dev/api/usage/access-scopes";
const LIMITS_PAGE: &str = "https://shopify.dev/api/usage/rate-limits";

/// None only if the schema beside this file is broken, which a test would show.
static SCHEMA: LazyLock<Option<Valid<Schema>>> =
    LazyLock::new(|| Schema::parse_and_validate(include_str!("schema.graphql"), "schema.graphql").ok());

/// The first field of the operation that a body asks for, to count by.
pub(super) fn operation_name(body: &[u8]) -> Option<String> {
    let request: Value = serde_json::from_slice(body).ok()?;
    let query = request.get("query")?.as_str()?;
    let parsed = apollo_compiler::ast::Document::parse(query, "query.graphql");
    let document = parsed.unwrap_or_else(|broken| broken.partial);
    let wanted = request.get("operationName").and_then(Value::as_str);
    let mut operations =
        document.definitions.iter().filter_map(|definition| definition.as_operation_definition());
    let operation = operations.find(|operation| {
        wanted.is_none_or(|wanted| operation.name.as_ref().is_some_and(|name| name.as_str() == wanted))
    })?;
    let mut fields = operation.selection_set.iter().filter_map(|selection| selection.as_field());
    fields.next().map(|field| field.name.to_string())
}

pub(super) fn answer(visit: &Visit<'_>, body: &[u8]) -> Response {
    let Some(schema) = SCHEMA.as_ref() else {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    };
    let request: Option<Value> = serde_json::from_slice(body).ok();
    let query = request.as_ref().and_then(|request| request.get("query")?.as_str());
    let (Some(request), Some(query)) = (&request, query) else {
        let errors = json!({ "errors": { "query": "Required parameter missing or invalid" } });
        return json_response(StatusCode::BAD_REQUEST, &errors);
    };
    let answer = run(visit, schema, request, query).unwrap_or_else(|errors| json!({ "errors": errors }));
    json_response(StatusCode::OK, &answer)
}

/// The answer, or errors without data and cost.
fn run(visit: &Visit<'_>, schema: &Valid<Schema>, request: &Value, query: &str) -> Result<Value, Value> {
    let document = ExecutableDocument::parse_and_validate(schema, query, "query.graphql")
        .map_err(|broken| refusals(broken.errors.iter().map(|error| invalid(&error.to_json())).collect()))?;
    let name = request.get("operationName").and_then(Value::as_str).filter(|name| !name.is_empty());
    let operation = document
        .operations
        .get(name)
        .map_err(|error| json!([with_code(&error.to_graphql_error(&document.sources), "BAD_REQUEST")]))?;
    let raw: JsonMap = match request.get("variables") {
        None | Some(Value::Null) => JsonMap::new(),
        Some(variables) => serde_json::from_value(variables.clone())
            .map_err(|_| json!([{ "message": "Variables are invalid JSON" }]))?,
    };
    too_large(request.get("variables"))?;
    let variables = coerce_variable_values(schema, operation, &raw).map_err(|error| {
        json!([with_code(&error.to_graphql_error(&document.sources), "INVALID_VARIABLE")])
    })?;
    too_large_literals(&operation.selection_set)?;
    *visit.idempotency.borrow_mut() = idempotency_keys(operation, &variables);

    let basis = Basis { schema, document: &document, variables: &variables };
    let requested = basis.requested(&operation.selection_set);
    let most = visit.settings.max_query_cost;
    if requested > most {
        return Err(json!([{
            "message": format!(
                "Query cost is {requested}, which exceeds the single query max cost limit ({most})."
            ),
            "extensions": {
                "code": "MAX_COST_EXCEEDED",
                "cost": requested,
                "maxCost": most,
                "documentation": LIMITS_PAGE,
            },
        }]));
    }
    let available = available(visit);
    if available < requested as f64 {
        return Ok(json!({
            "errors": [{
                "message": "Throttled",
                "extensions": { "code": "THROTTLED", "documentation": LIMITS_PAGE },
            }],
            "extensions": { "cost": cost(visit, requested, None, available) },
        }));
    }
    let executed = Execution::new(schema, &document)
        .operation(operation)
        .coerced_variable_values(&variables)
        .enable_schema_introspection(true)
        .execute_sync(&Root::new(visit, operation.is_mutation()));
    let executed = executed.map_err(|error| json!([error.to_graphql_error(&document.sources)]))?;

    let data = json!(executed.data);
    let actual = basis.actual(&operation.selection_set, &data);
    let mut answer = json!({ "data": data });
    if !executed.errors.is_empty() {
        answer["errors"] = executed.errors.iter().map(field_error).collect();
    }
    answer["extensions"] = json!({ "cost": cost(visit, requested, Some(actual), spend(visit, actual)) });
    let warnings = visit.warnings.borrow();
    if !warnings.is_empty() {
        answer["extensions"]["search"] = json!(*warnings);
    }
    Ok(answer)
}

fn cost(visit: &Visit<'_>, requested: u64, actual: Option<u64>, available: f64) -> Value {
    json!({
        "requestedQueryCost": requested,
        "actualQueryCost": actual,
        "throttleStatus": {
            "maximumAvailable": visit.settings.bucket.maximum,
            "currentlyAvailable": available.floor() as u64,
            "restoreRate": visit.settings.bucket.restore_rate,
        },
    })
}

/// What is in the bucket; always a full one while limits are switched off.
fn available(visit: &Visit<'_>) -> f64 {
    with_bucket(visit, |bucket| bucket.refilled(visit.settings.bucket, visit.now))
}

fn spend(visit: &Visit<'_>, points: u64) -> f64 {
    with_bucket(visit, |bucket| {
        bucket.spend(points);
        bucket.refilled(visit.settings.bucket, visit.now)
    })
}

fn with_bucket<T>(visit: &Visit<'_>, act: impl FnOnce(&mut Bucket) -> T) -> T {
    let full = || Bucket::full(visit.settings.bucket, visit.now);
    if !visit.settings.limited {
        return act(&mut full());
    }
    let mut buckets = lock(&visit.desk.face.0.buckets);
    let key = (visit.token.client_id.clone(), visit.token.seller.clone());
    act(buckets.entry(key).or_insert_with(full))
}

/// Arrays of more than 250 are refused anywhere in the input.
fn too_large(input: Option<&Value>) -> Result<(), Value> {
    let size = input.map_or(0, longest);
    if size <= MOST_ROWS {
        return Ok(());
    }
    Err(json!([{
        "message": format!(
            "The input array size of {size} is greater than the maximum allowed of {MOST_ROWS}."
        ),
        "extensions": { "code": "MAX_INPUT_SIZE_EXCEEDED" },
    }]))
}

fn longest(value: &Value) -> usize {
    match value {
        Value::Array(rows) => rows.iter().map(longest).max().unwrap_or(0).max(rows.len()),
        Value::Object(fields) => fields.values().map(longest).max().unwrap_or(0),
        _ => 0,
    }
}

fn too_large_literals(set: &SelectionSet) -> Result<(), Value> {
    fn longest(value: &Literal) -> usize {
        match value {
            Literal::List(rows) => rows.iter().map(|row| longest(row)).max().unwrap_or(0).max(rows.len()),
            Literal::Object(fields) => fields.iter().map(|(_, value)| longest(value)).max().unwrap_or(0),
            _ => 0,
        }
    }
    let arguments = set.fields().flat_map(|field| field.arguments.iter());
    let size = arguments.map(|argument| longest(&argument.value)).max().unwrap_or(0);
    if size > MOST_ROWS { too_large(Some(&json!(vec![0; size]))) } else { Ok(()) }
}

fn idempotency_keys(operation: &Operation, variables: &JsonMap) -> Vec<(String, String)> {
    let fields = operation.selection_set.selections.iter().filter_map(Selection::as_field);
    let keyed = fields.filter_map(|field| {
        let directive = field.directives.get("idempotent")?;
        let key = match directive.specified_argument_by_name("key")?.as_ref() {
            Literal::String(key) => key.clone(),
            Literal::Variable(name) => variables.get(name.as_str())?.as_str()?.to_owned(),
            _ => return None,
        };
        Some((field.response_key().to_string(), key))
    });
    keyed.collect()
}

/// Unknown fields are left out of the document, which makes errors of its own: those are not the client's.
fn refusals(mut errors: Vec<Value>) -> Value {
    let is_unknown = |error: &Value| error["extensions"]["code"] == "undefinedField";
    if errors.iter().any(is_unknown) {
        errors.retain(is_unknown);
    }
    Value::Array(errors)
}

/// A document that does not fit the schema. Unknown fields are worded as the API does.
fn invalid(error: &GraphQLError) -> Value {
    let mut shown = json!(error);
    let words: Vec<&str> = error.message.split('`').collect();
    if let ["type ", kind, " does not have a field ", field, ..] = words.as_slice() {
        shown["message"] = json!(format!("Field '{field}' doesn't exist on type '{kind}'"));
        shown["extensions"] = json!({ "code": "undefinedField", "typeName": kind, "fieldName": field });
    }
    shown
}

fn with_code(error: &GraphQLError, code: &str) -> Value {
    let mut shown = json!(error);
    shown["extensions"] = json!({ "code": code });
    shown
}

/// An error of a field, with its code taken out of the message.
fn field_error(error: &GraphQLError) -> Value {
    let mut shown = json!(error);
    // The executor puts words of its own before the message.
    let message = error.message.strip_prefix("resolver error: ").unwrap_or(&error.message);
    let Some((code, text)) = message.split_once(CODE_END) else {
        shown["extensions"] = json!({ "code": "INTERNAL_SERVER_ERROR" });
        return shown;
    };
    shown["message"] = json!(text);
    shown["extensions"] = json!({ "code": code });
    if let Some((_, access)) = text.split_once("Required access: ") {
        shown["extensions"]["requiredAccess"] = json!(access);
        shown["extensions"]["documentation"] = json!(SCOPES_PAGE);
    }
    shown
}
