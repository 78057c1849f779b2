//! `license.expiryDate` (sheet section 2).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::answer::{Failure, ok};
use super::desk::Visit;
use super::wording;
use crate::lock;

pub(super) fn expiry(visit: &Visit<'_>) -> Response {
    let Some(license_key) = visit.call.param("licenseKey").filter(|key| !key.is_empty()) else {
        return Failure::bad("GE0001", "licenseKey is required").into_response();
    };
    let keys = lock(&visit.desk.face.0.keys);
    let key = keys.of_license(license_key).filter(|key| key.seller == visit.key.seller);
    match key.and_then(|key| key.expires_at) {
        Some(end) => {
            let end = wording::local(end).format("%Y-%m-%dT%H:%M:%S").to_string();
            ok(&json!({ "expiryDate": end }))
        }
        None => Failure::new(StatusCode::NOT_FOUND, "GE0014", "Not found for inputs").into_response(),
    }
}
