//! What can be switched on the face.

use serde::Deserialize;

use super::Shopee;
use crate::lock;

/// A way to hand a parcel over, with what has to be sent for it (sheet section 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Pick-up at one of two addresses; the first has slots.
    Pickup,
    /// Pick-up at an address; there are no slots.
    PickupWithoutSlots,
    /// Pick-up with slots, and a tracking number by the seller.
    PickupWithTracking,
    /// Drop-off, with nothing to send: `"dropoff": []`.
    Dropoff,
    /// Drop-off at a branch.
    DropoffBranch,
    /// Drop-off under the sender's real name.
    DropoffSender,
    /// Drop-off with a tracking number by the seller.
    DropoffTracking,
    /// Drop-off through one of several partners (TW).
    DropoffSlug,
    /// The seller's own carrier, with its tracking number.
    OwnCarrier,
    /// The seller's own carrier, without a number.
    OwnCarrierUntracked,
}

/// How the recipient is masked (sheet section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Masking {
    /// Not at all: the address is in the allow list, and a test is on file.
    #[default]
    Off,
    /// `P******n`, `******64`.
    Partly,
    /// `****` everywhere, as for integrated orders in TW.
    Whole,
}

/// Which of the spellings says that an access token is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenError {
    /// `invalid_acceess_token`.
    #[default]
    Misspelled,
    /// `invalid_access_token`.
    Spelled,
    /// `error_auth` with a text.
    Auth,
}

/// Why no call of the app is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Calls are let through.
    #[default]
    Open,
    /// `error_partner_key_expired`.
    KeyExpired,
    /// `source_ip_undeclared`.
    AddressRefused,
    /// `error_api_permission`: the app's category does not allow it.
    NoPermission,
    /// `error_api_call_restricted`.
    Restricted,
    /// `shop_banned`, for calls of shops.
    ShopBanned,
}

/// The key that pushes are signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushKey {
    /// The push key.
    #[default]
    Push,
    /// The partner key, as an older guide has it.
    Partner,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) region: String,
    /// Most rows on a page, whatever is asked for.
    pub(super) page_size: usize,
    /// The ways that every order offers that has none of its own.
    pub(super) ways: Vec<Way>,
    /// Seconds from payment in which an order is PENDING.
    pub(super) pending_seconds: u32,
    /// Seconds from arranging until a number of the channel's is told.
    pub(super) tracking_seconds: u32,
    /// Location ids of a shop with several warehouses; none for others.
    pub(super) warehouses: Vec<String>,
    pub(super) masking: Masking,
    /// Whether lines have the field that is there since 2026-07.
    pub(super) line_item_ids: bool,
    pub(super) error_status: u16,
    pub(super) stray_spaces: bool,
    pub(super) prefixes: bool,
    pub(super) token_error: TokenError,
    /// Calls a second, if they are limited.
    pub(super) rate_limit: Option<u32>,
    /// Calls from midnight to midnight at UTC+8, if they are limited.
    pub(super) daily_limit: Option<u32>,
    pub(super) gate: Gate,
    pub(super) push_key: PushKey,
    /// Whether a lost push is a text and not an object.
    pub(super) lost_as_text: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: "SG".to_owned(),
            page_size: 100,
            ways: vec![Way::Pickup, Way::Dropoff],
            pending_seconds: 0,
            tracking_seconds: 0,
            warehouses: Vec::new(),
            masking: Masking::Off,
            line_item_ids: true,
            error_status: 200,
            stray_spaces: false,
            prefixes: false,
            token_error: TokenError::Misspelled,
            rate_limit: None,
            daily_limit: None,
            gate: Gate::Open,
            push_key: PushKey::Push,
            lost_as_text: false,
        }
    }
}

impl Settings {
    /// The location that stock of a shop without warehouses is shown at.
    pub(super) fn locations(&self) -> Vec<String> {
        if self.warehouses.is_empty() { vec![format!("{}Z", self.region)] } else { self.warehouses.clone() }
    }

    pub(super) fn location(&self) -> String {
        self.locations().swap_remove(0)
    }
}

impl Shopee {
    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut lock(&self.0.settings));
        self
    }

    /// The shops' region, for example `SG` (the default), `TW` or `BR`.
    #[must_use]
    pub fn region(self, region: &str) -> Self {
        self.change(|settings| settings.region = region.to_owned())
    }

    /// Most rows on a page, whatever is asked for; at least 1.
    #[must_use]
    pub fn page_size(self, rows: usize) -> Self {
        self.change(|settings| settings.page_size = rows.max(1))
    }

    /// The ways to hand over that orders offer. Pick-up and drop-off by default.
    #[must_use]
    pub fn ways(self, ways: &[Way]) -> Self {
        self.change(|settings| settings.ways = ways.to_vec())
    }

    /// Seconds from payment in which an order is PENDING. 0 by default.
    #[must_use]
    pub fn pending_seconds(self, seconds: u32) -> Self {
        self.change(|settings| settings.pending_seconds = seconds)
    }

    /// Seconds from arranging the shipment until the channel tells its tracking number. 0 by default.
    #[must_use]
    pub fn tracking_seconds(self, seconds: u32) -> Self {
        self.change(|settings| settings.tracking_seconds = seconds)
    }

    /// Makes the shops have warehouses with these location ids.
    #[must_use]
    pub fn warehouses(self, locations: &[&str]) -> Self {
        self.change(|settings| settings.warehouses = locations.iter().map(|id| (*id).to_owned()).collect())
    }

    /// How recipients are masked.
    #[must_use]
    pub fn masking(self, masking: Masking) -> Self {
        self.change(|settings| settings.masking = masking)
    }

    /// Leaves `line_item_id` out, as before 2026-07.
    #[must_use]
    pub fn without_line_item_ids(self) -> Self {
        self.change(|settings| settings.line_item_ids = false)
    }

    /// The HTTP status of all errors: 200 by default, 403 was seen, too.
    #[must_use]
    pub fn error_status(self, status: u16) -> Self {
        self.change(|settings| settings.error_status = status)
    }

    /// Puts a space before and a tab after every error code, as some have them.
    #[must_use]
    pub fn stray_spaces(self) -> Self {
        self.change(|settings| settings.stray_spaces = true)
    }

    /// Puts `common.` before codes without a prefix.
    #[must_use]
    pub fn prefixed_errors(self) -> Self {
        self.change(|settings| settings.prefixes = true)
    }

    /// How a bad access token is answered.
    #[must_use]
    pub fn token_error(self, spelling: TokenError) -> Self {
        self.change(|settings| settings.token_error = spelling)
    }

    /// Lets so many calls through a second, on the sandbox's clock. The channel publishes no number.
    #[must_use]
    pub fn rate_limit(self, calls: u32) -> Self {
        self.change(|settings| settings.rate_limit = Some(calls))
    }

    /// Lets so many calls through a day (UTC+8).
    #[must_use]
    pub fn daily_limit(self, calls: u32) -> Self {
        self.change(|settings| settings.daily_limit = Some(calls))
    }

    /// Whether calls are let through at all.
    #[must_use]
    pub fn gate(self, gate: Gate) -> Self {
        self.change(|settings| settings.gate = gate)
    }

    /// The key that pushes are signed with.
    #[must_use]
    pub fn push_key(self, key: PushKey) -> Self {
        self.change(|settings| settings.push_key = key)
    }

    /// Gives lost pushes as texts and not as objects.
    #[must_use]
    pub fn lost_pushes_as_text(self) -> Self {
        self.change(|settings| settings.lost_as_text = true)
    }
}
