//! What the shop is, and what the token may do there.

use chrono_tz::Tz;
use serde::Deserialize;

use crate::channel::{Capability, CapabilityCheck, Context, Credentials, Operation};
use crate::error::{Error, Result};
use crate::http::{Nature, Response};
use crate::lenient::{Text, body_text};
use crate::model::Currency;

use super::api::Api;
use super::documents::WHOAMI;
use super::wire::Answer;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ShopRow<'a> {
    #[serde(borrow)]
    currency_code: Text<'a>,
    #[serde(borrow)]
    iana_timezone: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct InstallationRow<'a> {
    #[serde(borrow)]
    access_scopes: Option<Vec<ScopeRow<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ScopeRow<'a> {
    #[serde(borrow)]
    handle: Text<'a>,
}

/// The shop as its token sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shop {
    pub(super) currency: Option<Currency>,
    pub(super) zone: Option<Tz>,
    /// `None`: the channel does not tell.
    scopes: Option<Vec<String>>,
}

impl Shop {
    /// Whether a scope is granted; a scope to write holds the one to read. Where the channel does not tell, the call
    /// itself will.
    pub(super) fn may(&self, scope: &str) -> bool {
        let Some(scopes) = &self.scopes else { return true };
        let wider = scope.strip_prefix("read_").map(|thing| format!("write_{thing}"));
        scopes.iter().any(|have| have == scope || Some(have) == wider.as_ref())
    }
}

/// Reads the answer of `Whoami`.
///
/// # Errors
/// `MalformedResponse` when it says nothing of the shop.
pub(super) fn shop(body: &[u8]) -> Result<Shop> {
    let text = body_text(body);
    let answer = Answer::read(&text)?;
    let shop: ShopRow<'_> = answer.root(&WHOAMI)?;
    let installation = answer.field("currentAppInstallation");
    let scopes = installation
        .and_then(|raw| serde_json::from_str::<InstallationRow<'_>>(raw.get()).ok())
        .and_then(|installation| installation.access_scopes);
    let handles = |scopes: Vec<ScopeRow<'_>>| scopes.iter().map(|s| s.handle.trim().to_owned()).collect();
    Ok(Shop {
        currency: shop.currency_code.parse().ok(),
        zone: shop.iana_timezone.trim().parse().ok(),
        scopes: scopes.map(handles),
    })
}

/// Asks the shop.
///
/// # Errors
/// Any kind.
pub(super) async fn whoami(api: &Api, cx: &Context, operation: Operation) -> Result<Shop> {
    shop(&answer(api, cx, operation).await?.body)
}

/// As [`whoami`], with the whole answer.
///
/// # Errors
/// Any kind.
pub(super) async fn answer(api: &Api, cx: &Context, operation: Operation) -> Result<Response> {
    api.call(cx, operation, Nature::Read, &WHOAMI, serde_json::Map::new()).await
}

/// Proves credentials other than those in use.
///
/// # Errors
/// `Unauthorized` when the channel does not accept them.
pub(super) async fn prove(api: &Api, cx: &Context, credentials: &Credentials) -> Result<()> {
    let answer = api.call_with(cx, Operation::RenewCredentials, &WHOAMI, credentials).await?;
    shop(&answer.body).map(drop)
}

/// One of these scopes is needed; all of the groups together are.
type Groups = &'static [&'static [&'static str]];

const READ_PARTS: &[&str] = &[
    "read_merchant_managed_fulfillment_orders",
    "read_assigned_fulfillment_orders",
    "read_third_party_fulfillment_orders",
];
const WRITE_PARTS: &[&str] = &[
    "write_merchant_managed_fulfillment_orders",
    "write_assigned_fulfillment_orders",
    "write_third_party_fulfillment_orders",
];

fn needed(capability: Capability) -> Groups {
    match capability {
        Capability::FetchOrders => &[&["read_orders"], READ_PARTS],
        Capability::SetShipDate | Capability::DispatchOrders | Capability::NotifyBuyer => &[WRITE_PARTS],
        Capability::UpdateStock => {
            &[&["write_inventory"], &["read_products"], &["read_inventory"], &["read_locations"]]
        }
        Capability::ListListings => &[&["read_products"], &["read_inventory"]],
        Capability::HandleCancellations => &[&["write_orders"]],
        _ => &[],
    }
}

/// Whether the token's scopes allow a capability.
pub(super) fn check(shop: &Shop, capability: Capability) -> CapabilityCheck {
    let groups = needed(capability);
    if groups.is_empty() || shop.scopes.is_none() {
        return CapabilityCheck::Assumed;
    }
    let missing: Vec<&str> = groups
        .iter()
        .filter(|group| !group.iter().any(|scope| shop.may(scope)))
        .filter_map(|group| group.first().copied())
        .collect();
    if missing.is_empty() {
        return CapabilityCheck::Allowed;
    }
    CapabilityCheck::Denied { reason: format!("the app lacks the scope {}: grant it", missing.join(" and ")) }
}

/// The currency and zone of a shop.
///
/// # Errors
/// `MalformedResponse` when it tells them in no form that can be read.
pub(super) fn facts(shop: &Shop) -> Result<(Currency, Tz)> {
    shop.currency.zip(shop.zone).ok_or_else(|| Error::malformed("the shop's currency or zone can't be read"))
}
