//! What can be switched on the face.

use serde::Deserialize;

use super::TikTokShop;
use super::tokens::RefreshTokens;
use crate::lock;

/// Who brings parcels to the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shipping {
    /// TikTok's logistics: the channel gives the tracking number and the label.
    #[default]
    Tiktok,
    /// The seller: `SEND_BY_SELLER`.
    Seller,
}

impl Shipping {
    /// As the API spells it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Tiktok => "TIKTOK",
            Self::Seller => "SELLER",
        }
    }
}

/// How an order is cut into packages when it comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackagesPer {
    /// One package for the whole order.
    #[default]
    Order,
    /// One package for each line.
    Line,
}

/// Whether a quantity of 0 is taken, against the documented range of 1 to 99,999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZeroStock {
    /// As documented.
    #[default]
    Refused,
    /// Taken.
    Taken,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) region: String,
    pub(super) shipping: Shipping,
    pub(super) packages: PackagesPer,
    /// Minutes from payment in which an order is ON_HOLD.
    pub(super) hold_minutes: u32,
    pub(super) warehouses: usize,
    pub(super) zero_stock: ZeroStock,
    /// Most rows on a page, whatever is asked for.
    pub(super) page_size: usize,
    pub(super) refresh_tokens: RefreshTokens,
    /// Whether the published limit of 50 requests a second per shop and API is enforced.
    pub(super) limits: bool,
    /// Whether the caller's address is not in the allow list.
    pub(super) address_refused: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: "JP".to_owned(),
            shipping: Shipping::Tiktok,
            packages: PackagesPer::Order,
            hold_minutes: 0,
            warehouses: 1,
            zero_stock: ZeroStock::Refused,
            page_size: 100,
            refresh_tokens: RefreshTokens::Rotate,
            limits: false,
            address_refused: false,
        }
    }
}

impl Settings {
    /// Where line items can be shipped without a package before: the US and the UK.
    pub(super) fn ships_line_items(&self) -> bool {
        matches!(self.region.as_str(), "US" | "GB")
    }

    /// Where the warehouse's own setting decides on the hand-over.
    pub(super) fn hands_over_by_warehouse(&self) -> bool {
        matches!(self.region.as_str(), "ID" | "SG" | "PH" | "VN" | "TH" | "MY")
    }
}

impl TikTokShop {
    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut lock(&self.0.settings));
        self
    }

    /// The shops' region, for example `JP` (the default), `US`, `GB` or `ID`.
    #[must_use]
    pub fn region(self, region: &str) -> Self {
        self.change(|settings| settings.region = region.to_owned())
    }

    /// Who ships.
    #[must_use]
    pub fn shipping(self, shipping: Shipping) -> Self {
        self.change(|settings| settings.shipping = shipping)
    }

    /// How orders are cut into packages.
    #[must_use]
    pub fn packages_per(self, packages: PackagesPer) -> Self {
        self.change(|settings| settings.packages = packages)
    }

    /// Minutes from payment in which an order is ON_HOLD. 0 by default; about 60 in reality.
    #[must_use]
    pub fn hold_minutes(self, minutes: u32) -> Self {
        self.change(|settings| settings.hold_minutes = minutes)
    }

    /// In how many warehouses each SKU is, 1 to 3.
    #[must_use]
    pub fn warehouses(self, warehouses: usize) -> Self {
        self.change(|settings| settings.warehouses = warehouses.clamp(1, 3))
    }

    /// Whether a quantity of 0 is taken.
    #[must_use]
    pub fn zero_stock(self, zero_stock: ZeroStock) -> Self {
        self.change(|settings| settings.zero_stock = zero_stock)
    }

    /// Most rows on a page, whatever is asked for; at least 1.
    #[must_use]
    pub fn page_size(self, rows: usize) -> Self {
        self.change(|settings| settings.page_size = rows.max(1))
    }

    /// What a refresh does to the refresh token.
    #[must_use]
    pub fn refresh_tokens(self, rule: RefreshTokens) -> Self {
        self.change(|settings| settings.refresh_tokens = rule)
    }

    /// Enforces the published limit: 50 requests a second per shop and API, on the sandbox's clock.
    #[must_use]
    pub fn with_limits(self) -> Self {
        self.change(|settings| settings.limits = true)
    }

    /// Answers every call as if the caller's address were not in the allow list.
    #[must_use]
    pub fn address_refused(self) -> Self {
        self.change(|settings| settings.address_refused = true)
    }
}
