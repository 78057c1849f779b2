//! People and where they live (sheet, order fields). No call is made here.

use serde::Deserialize;

use crate::lenient::Text;
use crate::model::{Address, Party};

/// Who bought, or to whom it goes. Any field may be absent.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PersonRow<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    first_name: Text<'a>,
    #[serde(borrow)]
    last_name: Text<'a>,
    #[serde(borrow)]
    company_name: Text<'a>,
    #[serde(borrow)]
    street: Text<'a>,
    #[serde(borrow)]
    city: Text<'a>,
    #[serde(borrow)]
    country_code: Text<'a>,
    #[serde(borrow)]
    postal_code: Text<'a>,
    #[serde(borrow)]
    state_or_province_code: Text<'a>,
    #[serde(borrow)]
    state_or_province_name: Text<'a>,
    #[serde(borrow)]
    phone: Text<'a>,
}

impl PersonRow<'_> {
    /// Whether a name or an address has characters that were broken on the way: nothing is shipped to it.
    pub(super) fn is_broken(&self) -> bool {
        let texts =
            [&self.name, &self.first_name, &self.last_name, &self.company_name, &self.street, &self.city];
        texts.iter().any(|text| text.is_broken())
    }
}

/// A person with what is known of them.
pub(super) fn party(person: &PersonRow<'_>) -> Party {
    let name = match person.name.filled() {
        Some(name) => name.to_owned(),
        None => [person.first_name.trim(), person.last_name.trim()].join(" ").trim().to_owned(),
    };
    Party { name, phone: person.phone.trim().to_owned(), address: address(person), ..Party::default() }
}

/// The company goes before the street, whose two lines come in one text.
pub(super) fn address(person: &PersonRow<'_>) -> Address {
    let street = person.street.lines().map(str::trim).filter(|line| !line.is_empty());
    let region = person.state_or_province_name.filled().or_else(|| person.state_or_province_code.filled());
    Address {
        country: person.country_code.trim().to_ascii_uppercase(),
        postal_code: person.postal_code.trim().to_owned(),
        region: region.unwrap_or_default().to_owned(),
        city: person.city.trim().to_owned(),
        lines: person.company_name.filled().into_iter().chain(street).map(str::to_owned).collect(),
    }
}
