//! The store itself: its currency and zone, and what the token may do there (sheet, store profile).

use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::channel::{Capability, CapabilityCheck, ConnectionReport, Context, Operation};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Response;
use crate::lenient::{Text, body_text, object};
use crate::model::Currency;

use super::Config;
use super::auth::{Api, Ask};
use super::errors::{Endpoint, NO_SCOPE, failure};
use super::wire::part;

/// The parts of the profile that are used: the whole is large.
const FIELDS: &str = "generalInfo(storeId),account(suspended),settings(closed,allowPreordersForOutOfStockProducts),\
                      formatsAndUnits(currency,timezone)";

/// What orders don't say of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Store {
    pub(super) currency: Currency,
    /// `None`: it can't be read.
    pub(super) zone: Option<Tz>,
}

/// The call that reads the profile.
pub(super) fn profile_ask() -> Ask {
    Ask::get(Endpoint::Profile, "/profile").with([("responseFields", FIELDS.to_owned())])
}

/// The call that proves a scope and brings no row's contents along.
fn probe_ask(endpoint: Endpoint, path: &str) -> Ask {
    Ask::get(endpoint, path).with([("limit", "1".to_owned()), ("responseFields", "total".to_owned())])
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ProfileRow<'a> {
    #[serde(borrow)]
    general_info: Option<&'a RawValue>,
    #[serde(borrow)]
    account: Option<&'a RawValue>,
    #[serde(borrow)]
    settings: Option<&'a RawValue>,
    #[serde(borrow)]
    formats_and_units: Option<&'a RawValue>,
    #[serde(borrow)]
    error_code: Text<'a>,
    #[serde(borrow)]
    error_message: Text<'a>,
}

/// The fields of the profile's parts: none is in two of them.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PartRow<'a> {
    #[serde(borrow)]
    store_id: Text<'a>,
    #[serde(borrow)]
    suspended: Text<'a>,
    #[serde(borrow)]
    closed: Text<'a>,
    #[serde(borrow)]
    allow_preorders_for_out_of_stock_products: Text<'a>,
    #[serde(borrow)]
    currency: Text<'a>,
    #[serde(borrow)]
    timezone: Text<'a>,
}

fn profile<'a>(text: &'a str, store_id: &str) -> Result<ProfileRow<'a>> {
    let row: ProfileRow<'a> = object("the store's profile", text)?;
    if let Some(error) = failure(Endpoint::Profile, &row.error_code, &row.error_message) {
        return Err(error);
    }
    let general: PartRow<'_> = part(row.general_info).unwrap_or_default();
    match general.store_id.filled() {
        Some(told) if told != store_id => Err(Error::new(ErrorKind::Configuration)
            .with_message("the token belongs to another store than store_id says")),
        _ => Ok(row),
    }
}

/// Currency and zone in a profile; what is configured goes before.
///
/// # Errors
/// `MalformedResponse` when the currency can't be read; `Configuration` when it is another store's.
pub(super) fn store_of(text: &str, store_id: &str, config: &Config) -> Result<Store> {
    let row = profile(text, store_id)?;
    let formats: PartRow<'_> = part(row.formats_and_units).unwrap_or_default();
    let currency = config.currency.or_else(|| formats.currency.parse().ok()).ok_or_else(|| {
        Error::malformed("the store's currency can't be read: give it with Config::with_store")
    })?;
    Ok(Store { currency, zone: config.zone.or_else(|| formats.timezone.trim().parse().ok()) })
}

/// What a person should know of the store.
///
/// # Errors
/// `MalformedResponse`; `Configuration` when it is another store's.
pub(super) fn notes_of(text: &str, store_id: &str, config: &Config) -> Result<Vec<String>> {
    let row = profile(text, store_id)?;
    let account: PartRow<'_> = part(row.account).unwrap_or_default();
    let settings: PartRow<'_> = part(row.settings).unwrap_or_default();
    let formats: PartRow<'_> = part(row.formats_and_units).unwrap_or_default();
    let mut notes = Vec::new();
    if account.suspended.flag() == Some(true) {
        notes.push("Ecwid has suspended the store".to_owned());
    }
    if settings.closed.flag() == Some(true) {
        notes.push("the store is closed: buyers can't order".to_owned());
    }
    if settings.allow_preorders_for_out_of_stock_products.flag() == Some(true) {
        notes.push(
            "the store takes pre-orders: listings that allow them sell at a quantity of 0 too".to_owned(),
        );
    }
    let told: Option<Currency> = formats.currency.parse().ok();
    if let (Some(ours), Some(told)) = (config.currency, told)
        && ours != told
    {
        notes.push(format!("the store's currency is {told}, the configured one is {ours}"));
    }
    Ok(notes)
}

/// What a harmless read proves. A scope that is missing is named; other errors end the test.
fn proof(answer: Result<Response>) -> Result<CapabilityCheck> {
    match answer {
        Ok(_) => Ok(CapabilityCheck::Allowed),
        Err(error) if error.code() == Some(NO_SCOPE) => {
            Ok(CapabilityCheck::Denied { reason: error.message().unwrap_or("not permitted").to_owned() })
        }
        Err(error) => Err(error),
    }
}

/// Proves the credentials and names what they lack.
///
/// # Errors
/// `Unauthorized`, `Forbidden`, or what keeps the channel from answering.
pub(super) async fn test(
    api: &Api,
    cx: &Context,
    capabilities: impl Iterator<Item = Capability>,
) -> Result<ConnectionReport> {
    let operation = Operation::TestConnection;
    let answer = api.read(cx, operation, &profile_ask()).await;
    let skew = answer.as_ref().ok().and_then(|answer| answer.clock_skew);
    let notes = match &answer {
        Ok(answer) => notes_of(&body_text(&answer.body), api.store_id(), api.config())?,
        Err(_) => Vec::new(),
    };
    let profile = proof(answer)?;
    let orders = proof(api.read(cx, operation, &probe_ask(Endpoint::Orders, "/orders")).await)?;
    let catalog = proof(api.read(cx, operation, &probe_ask(Endpoint::Products, "/products")).await)?;
    let needs_profile = api.config().currency.is_none() || api.config().zone.is_none();
    let capabilities = capabilities.map(|capability| {
        let read = match capability {
            Capability::ListListings | Capability::UpdateStock => &catalog,
            Capability::ReceiveWebhooks => return (capability, CapabilityCheck::Assumed),
            // Orders have no currency of their own.
            _ if needs_profile && profile != CapabilityCheck::Allowed => &profile,
            _ => &orders,
        };
        let only_reads = matches!(capability, Capability::FetchOrders | Capability::ListListings);
        let check = match read {
            // Nothing harmless proves a scope that writes.
            CapabilityCheck::Allowed if !only_reads => CapabilityCheck::Assumed,
            check => check.clone(),
        };
        (capability, check)
    });
    let mut report = ConnectionReport::new(capabilities.collect());
    report.clock_skew_seconds = skew.map(|skew| skew.num_seconds());
    report.notes = notes;
    Ok(report)
}
