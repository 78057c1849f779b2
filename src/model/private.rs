//! Personal data that Debug and logs never show.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Personal data: names, addresses, phone numbers, messages.
///
/// It is stored and can be read on purpose ([`Private::reveal`]), but Debug prints `[private]` and there is no
/// Display.
///
/// ```
/// use sales_channels::model::Private;
///
/// let name = Private::new("山田 花子".to_owned());
/// assert_eq!(format!("{name:?}"), "[private]");
/// assert_eq!(name.reveal(), "山田 花子");
/// ```
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself: the caller takes care where it goes.
    pub fn reveal(&self) -> &T {
        &self.0
    }

    /// The value itself, taken out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Private<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}
