//! What can be switched on this face.

use serde::Deserialize;

use super::YahooShopping;
use crate::lock;

/// What a refused change of an order is answered with. The channel's own way is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedAs {
    /// HTTP 400, an `Error` with a code.
    #[default]
    Error,
    /// HTTP 200, `Status` NG without a code.
    StatusNg,
}

/// What becomes of a dispatch of an order that is shipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedDispatch {
    /// It is refused.
    #[default]
    Refused,
    /// It counts once more: in the record it is a dispatch of 0 units.
    Taken,
}

/// What a `setStock` with bad rows does with the good ones: the documentation says both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartialStock {
    /// They are set.
    #[default]
    Kept,
    /// They look as if they were set, and are not.
    Undone,
}

/// Whether calls get through to the order methods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gateway {
    /// They do.
    #[default]
    Open,
    /// The Client ID is not approved for the order API.
    NotApproved,
    /// The caller's address is not registered.
    AddressRefused,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) read_only_minutes: u32,
    pub(super) page_size: usize,
    pub(super) limits: bool,
    pub(super) calls_per_day: u32,
    pub(super) lock_seconds: u32,
    pub(super) signature_seconds: u32,
    pub(super) same_refresh_token: bool,
    pub(super) refused_as: RefusedAs,
    pub(super) repeated_dispatch: RepeatedDispatch,
    pub(super) partial_stock: PartialStock,
    pub(super) gateway: Gateway,
    pub(super) trouble: bool,
    pub(super) cancel_seconds: u32,
    pub(super) keep_cancelled_stock: bool,
    pub(super) default_overdraft: bool,
    pub(super) unreadable_rows: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            read_only_minutes: 0,
            page_size: 2_000,
            limits: false,
            calls_per_day: 50_000,
            lock_seconds: 60,
            signature_seconds: 600,
            same_refresh_token: false,
            refused_as: RefusedAs::default(),
            repeated_dispatch: RepeatedDispatch::default(),
            partial_stock: PartialStock::default(),
            gateway: Gateway::default(),
            trouble: false,
            cancel_seconds: 0,
            keep_cancelled_stock: false,
            default_overdraft: false,
            unreadable_rows: 0,
        }
    }
}

macro_rules! switches {
    ($($(#[$doc:meta])* $name:ident: $kind:ty => $field:ident,)*) => {
        impl YahooShopping {
            $(
                $(#[$doc])*
                pub fn $name(&self, value: $kind) {
                    lock(&self.0.settings).$field = value;
                }
            )*
        }

        /// A change of settings on the control port. What is absent stays.
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct SettingsChange {
            $($field: Option<$kind>,)*
        }

        impl SettingsChange {
            pub(super) fn apply(self, settings: &mut Settings) {
                $(if let Some(value) = self.$field {
                    settings.$field = value;
                })*
            }
        }
    };
}

switches! {
    /// For so many minutes after an order only its buyer can change it, and lists leave it out by default. The channel has
    /// 10; 0 (the default here) switches it off.
    set_read_only_minutes: u32 => read_only_minutes,
    /// No answer of `orderList` and `myItemList` has more rows, whatever is asked for.
    set_page_size: usize => page_size,
    /// Enforces one call a second for each method, and the calls of a day.
    set_limits: bool => limits,
    /// Calls in a day of Japan, where limits are enforced. 50,000.
    set_calls_per_day: u32 => calls_per_day,
    /// A method that was called too fast is locked for so long, where limits are enforced. 60.
    set_lock_seconds: u32 => lock_seconds,
    /// The time in a signature may be so far off. 600.
    set_signature_seconds: u32 => signature_seconds,
    /// A new consent of the same store brings the same refresh token again.
    set_same_refresh_token: bool => same_refresh_token,
    /// How refused changes of orders are answered.
    set_refused_as: RefusedAs => refused_as,
    /// What becomes of a dispatch of a shipped order.
    set_repeated_dispatch: RepeatedDispatch => repeated_dispatch,
    /// What a `setStock` with bad rows does with the good ones.
    set_partial_stock: PartialStock => partial_stock,
    /// Whether the order methods can be reached.
    set_gateway: Gateway => gateway,
    /// Every method answers with trouble of its own.
    set_trouble: bool => trouble,
    /// A cancellation is accepted (od91704) and done so much later. 0: at once.
    set_cancel_seconds: u32 => cancel_seconds,
    /// Cancellations don't give stock back (od91130).
    set_keep_cancelled_stock: bool => keep_cancelled_stock,
    /// What the store's default says about orders beyond the stock. It is written where `setStock` does not say it.
    set_default_overdraft: bool => default_overdraft,
    /// The next rows of `setStock` are set but can't be read back (ed-10002).
    set_unreadable_rows: usize => unreadable_rows,
}
