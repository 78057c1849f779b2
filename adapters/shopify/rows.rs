//! Rows of orders as the channel writes them. What they mean is in `orders`.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::lenient::Text;

use super::parts::Id;
use super::wire::Connection;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct OrderRow<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) created_at: Text<'a>,
    #[serde(borrow)]
    pub(super) processed_at: Text<'a>,
    #[serde(borrow)]
    pub(super) updated_at: Text<'a>,
    #[serde(borrow)]
    pub(super) cancelled_at: Text<'a>,
    #[serde(borrow)]
    pub(super) test: Text<'a>,
    #[serde(borrow)]
    pub(super) display_financial_status: Text<'a>,
    #[serde(borrow)]
    pub(super) display_fulfillment_status: Text<'a>,
    #[serde(borrow)]
    pub(super) unpaid: Text<'a>,
    #[serde(borrow)]
    pub(super) email: Text<'a>,
    #[serde(borrow)]
    pub(super) phone: Text<'a>,
    #[serde(borrow)]
    pub(super) note: Text<'a>,
    #[serde(borrow)]
    pub(super) currency_code: Text<'a>,
    #[serde(borrow)]
    pub(super) customer: Option<CustomerRow<'a>>,
    #[serde(borrow)]
    pub(super) shipping_address: Option<AddressRow<'a>>,
    #[serde(borrow)]
    pub(super) total_price_set: Option<MoneyBag<'a>>,
    #[serde(borrow)]
    pub(super) total_shipping_price_set: Option<MoneyBag<'a>>,
    #[serde(borrow)]
    pub(super) custom_attributes: Option<Vec<AttributeRow<'a>>>,
    #[serde(borrow)]
    pub(super) line_items: Option<Connection<'a>>,
    #[serde(borrow)]
    pub(super) fulfillment_orders: Option<Connection<'a>>,
    #[serde(borrow)]
    pub(super) fulfillments: Option<Vec<Option<&'a RawValue>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct CustomerRow<'a> {
    #[serde(borrow)]
    pub(super) display_name: Text<'a>,
    #[serde(borrow)]
    pub(super) default_email_address: Option<Email<'a>>,
    #[serde(borrow)]
    pub(super) default_phone_number: Option<Phone<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Email<'a> {
    #[serde(borrow)]
    pub(super) email_address: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Phone<'a> {
    #[serde(borrow)]
    pub(super) phone_number: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AddressRow<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) first_name: Text<'a>,
    #[serde(borrow)]
    pub(super) last_name: Text<'a>,
    #[serde(borrow)]
    pub(super) company: Text<'a>,
    #[serde(borrow)]
    pub(super) address1: Text<'a>,
    #[serde(borrow)]
    pub(super) address2: Text<'a>,
    #[serde(borrow)]
    pub(super) city: Text<'a>,
    #[serde(borrow)]
    pub(super) province: Text<'a>,
    #[serde(borrow)]
    pub(super) province_code: Text<'a>,
    #[serde(borrow)]
    pub(super) zip: Text<'a>,
    #[serde(borrow, rename = "countryCodeV2")]
    pub(super) country: Text<'a>,
    #[serde(borrow)]
    pub(super) phone: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct MoneyBag<'a> {
    #[serde(borrow)]
    pub(super) shop_money: Option<MoneyRow<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct MoneyRow<'a> {
    #[serde(borrow)]
    pub(super) amount: Text<'a>,
    #[serde(borrow)]
    pub(super) currency_code: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AttributeRow<'a> {
    #[serde(borrow)]
    pub(super) key: Text<'a>,
    #[serde(borrow)]
    pub(super) value: Text<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LineRow<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) title: Text<'a>,
    #[serde(borrow)]
    pub(super) variant_title: Text<'a>,
    #[serde(borrow)]
    pub(super) sku: Text<'a>,
    #[serde(borrow)]
    pub(super) quantity: Text<'a>,
    #[serde(borrow)]
    pub(super) current_quantity: Text<'a>,
    #[serde(borrow)]
    pub(super) unfulfilled_quantity: Text<'a>,
    #[serde(borrow)]
    pub(super) variant: Option<Id<'a>>,
    #[serde(borrow)]
    pub(super) product: Option<Id<'a>>,
    #[serde(borrow)]
    pub(super) original_unit_price_set: Option<MoneyBag<'a>>,
    #[serde(borrow)]
    pub(super) discounted_unit_price_after_all_discounts_set: Option<MoneyBag<'a>>,
    #[serde(borrow)]
    pub(super) custom_attributes: Option<Vec<AttributeRow<'a>>>,
}
