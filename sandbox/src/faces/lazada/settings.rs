//! What can be switched on the face.

use serde::Deserialize;

use super::Lazada;
use super::country::Country;
use crate::lock;

/// How the carrier of a package is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Allocation {
    /// A local shop: Lazada allots it.
    #[default]
    Tfs,
    /// A cross-border shop: the caller names a provider's code.
    Ntfs,
}

impl Allocation {
    /// As the API spells it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Tfs => "TFS",
            Self::Ntfs => "NTFS",
        }
    }
}

/// What a refresh does to the old refresh token. The documentation says only that there is a new pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokens {
    /// The old one is dead at once.
    #[default]
    Rotate,
    /// The old one lives until its end.
    OldOnesLive,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) country: Country,
    pub(super) allocation: Allocation,
    /// Most rows on a page, whatever is asked for.
    pub(super) page_size: usize,
    /// Whether so many requests a second per shop and API are let through.
    pub(super) limits: bool,
    pub(super) requests_per_second: u32,
    /// How long an exceeded limit shuts the API out.
    pub(super) ban_seconds: u32,
    pub(super) access_days: u32,
    pub(super) refresh_tokens: RefreshTokens,
    /// So many of the next orders to be packed get no carrier.
    pub(super) allocation_failures: u32,
    /// How long order items are `ready_to_ship_pending`.
    pub(super) pending_seconds: u32,
    /// The seller has so many hours to answer a cancel request.
    pub(super) answer_hours: u32,
    /// Whether a campaign forbids to lower quantities.
    pub(super) campaign: bool,
    /// How many items have the same time of creation.
    pub(super) listed_together: usize,
    /// Whether most digits of phones are hidden.
    pub(super) masked_phones: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            country: Country::Sg,
            allocation: Allocation::Tfs,
            page_size: 100,
            limits: false,
            requests_per_second: 50,
            ban_seconds: 1,
            access_days: 30,
            refresh_tokens: RefreshTokens::Rotate,
            allocation_failures: 0,
            pending_seconds: 0,
            answer_hours: 48,
            campaign: false,
            listed_together: 1,
            masked_phones: true,
        }
    }
}

impl Lazada {
    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut lock(&self.0.settings));
        self
    }

    /// The market of the shops. Singapore by default.
    #[must_use]
    pub fn country(self, country: Country) -> Self {
        self.change(|settings| settings.country = country)
    }

    /// How carriers are found.
    #[must_use]
    pub fn allocation(self, allocation: Allocation) -> Self {
        self.change(|settings| settings.allocation = allocation)
    }

    /// Most rows on a page, whatever is asked for; at least 1.
    #[must_use]
    pub fn page_size(self, rows: usize) -> Self {
        self.change(|settings| settings.page_size = rows.max(1))
    }

    /// Enforces a limit of so many requests a second per shop and API, on the sandbox's clock; one more shuts the API out for
    /// `ban_seconds`. 50 a second is what is published for stock.
    #[must_use]
    pub fn with_limits(self, requests_per_second: u32, ban_seconds: u32) -> Self {
        self.change(|settings| {
            settings.limits = true;
            settings.requests_per_second = requests_per_second;
            settings.ban_seconds = ban_seconds;
        })
    }

    /// Days that access tokens are good for: 30 (the default) for live apps, 7 for apps in test.
    #[must_use]
    pub fn access_days(self, days: u32) -> Self {
        self.change(|settings| settings.access_days = days)
    }

    /// What a refresh does to the old refresh token.
    #[must_use]
    pub fn refresh_tokens(self, rule: RefreshTokens) -> Self {
        self.change(|settings| settings.refresh_tokens = rule)
    }

    /// So many of the next orders to be packed fail with 1003: no carrier was found.
    #[must_use]
    pub fn allocation_failures(self, orders: u32) -> Self {
        self.change(|settings| settings.allocation_failures = orders)
    }

    /// How many seconds order items are `ready_to_ship_pending` before they are `ready_to_ship`. 0 by default.
    #[must_use]
    pub fn pending_seconds(self, seconds: u32) -> Self {
        self.change(|settings| settings.pending_seconds = seconds)
    }

    /// Hours that the seller has to answer a cancel request before it is granted. 48 by default.
    #[must_use]
    pub fn answer_hours(self, hours: u32) -> Self {
        self.change(|settings| settings.answer_hours = hours)
    }

    /// A campaign runs: quantities can't be lowered.
    #[must_use]
    pub fn campaign(self) -> Self {
        self.change(|settings| settings.campaign = true)
    }

    /// How many items in a row have the same time of creation; at least 1 (the default).
    #[must_use]
    pub fn listed_together(self, items: usize) -> Self {
        self.change(|settings| settings.listed_together = items.max(1))
    }

    /// Phones come whole, as in one of the documentation's samples.
    #[must_use]
    pub fn phones_shown(self) -> Self {
        self.change(|settings| settings.masked_phones = false)
    }
}
