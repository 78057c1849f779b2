//! A box as the API shows it (sheet 4.4): with the fields of the official examples, in the spelling of v4 or v5.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::boxes::{OrderItem, ShipBox};
use super::settings::Market;
use super::{carriers, dates, ids};
use crate::Amount;
use crate::market::{Line, LineState, Order};

/// Whose spelling an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Money as plain numbers, local times without offset, phones as they are.
    V4,
    /// Money with currency and nanos, times with offset, phones with the country.
    V5,
}

impl Version {
    pub(super) fn money(self, amount: Amount, market: Market) -> Value {
        match self {
            Self::V4 => json!(amount),
            Self::V5 => {
                let hundredths = amount.as_hundredths();
                let nanos = hundredths % 100 * 10_000_000;
                json!({ "currencyCode": market.currency(), "units": hundredths / 100, "nanos": nanos })
            }
        }
    }

    pub(super) fn time(self, time: DateTime<Utc>, market: Market) -> String {
        match self {
            Self::V4 => dates::local(time, market),
            Self::V5 => dates::with_offset(time, market),
        }
    }

    fn moved(self, time: Option<DateTime<Utc>>, market: Market) -> String {
        match (self, time) {
            (_, None) => String::new(),
            (Self::V4, Some(time)) => dates::local_spaced(time, market),
            (Self::V5, Some(time)) => dates::with_offset(time, market),
        }
    }

    fn phone(self, phone: &str, market: Market) -> String {
        let country = if market == Market::Tw { "+886" } else { "+82" };
        match self {
            Self::V4 => phone.to_owned(),
            Self::V5 => format!("{country} {}", phone.trim_start_matches('0')),
        }
    }
}

/// A box with what its row needs.
pub(super) struct Sheet<'a> {
    pub(super) order: &'a Order,
    pub(super) found: &'a ShipBox,
    pub(super) status: &'static str,
    pub(super) market: Market,
    pub(super) version: Version,
}

impl Sheet<'_> {
    pub(super) fn row(&self) -> Value {
        let Self { order, found, market, version, .. } = *self;
        let paid_at = order.paid_at.unwrap_or(order.ordered_at);
        // The relay number of some rows begins with a space, as in the official example.
        let space = if version == Version::V5 && found.id % 2 == 1 { " " } else { "" };
        let first_box = found.lines.first() == order.lines.first().map(|line| &line.number);
        let fee = if first_box { order.shipping_fee } else { Amount::ZERO };
        let mut row = json!({
            "shipmentBoxId": found.id,
            "orderId": ids::order_id(order.number),
            "orderedAt": version.time(order.ordered_at, market),
            "orderer": {
                "name": order.buyer.name,
                "email": "",
                "safeNumber": version.phone(&order.buyer.mobile, market),
                "ordererNumber": null,
            },
            "paidAt": version.time(paid_at, market),
            "status": self.status,
            "shippingPrice": version.money(fee, market),
            "remotePrice": null,
            "remoteArea": false,
            "parcelPrintMessage": (!order.message.is_empty()).then_some(&order.message),
            "splitShipping": found.split,
            "ableSplitShipping": self.status == "INSTRUCT" && found.can_be_split(order),
            "receiver": {
                "name": order.recipient.name,
                "safeNumber": format!("{space}{}", version.phone(&order.recipient.mobile, market)),
                "receiverNumber": null,
                "addr1": format!("{} {} {}", order.address.region, order.address.city, order.address.line1),
                "addr2": order.address.line2,
                "postCode": order.address.postal_code,
            },
            "orderItems": found.items(order).iter().map(|item| self.item(item)).collect::<Vec<_>>(),
            "overseaShippingInfoDto": {
                "personalCustomsClearanceCode": "",
                "ordererSsn": "",
                "ordererPhoneNumber": "",
            },
            "deliveryCompanyName": carriers::name(&found.company).unwrap_or(&found.company),
            "invoiceNumber": found.invoice,
            "inTrasitDateTime": version.moved(found.in_transit, market),
            "deliveredDate": version.moved(self.delivered(), market),
            "refer": "안드로이드앱",
        });
        if let (Version::V5, Some(fields)) = (version, row.as_object_mut()) {
            fields.insert("shipmentType".into(), json!("THIRD_PARTY"));
            fields.insert("isCod".into(), json!(false));
            let extra = json!({ "sameDayShipping": "false", "cutOffTimeHour": "0" });
            fields.insert("extraProperties".into(), extra);
        }
        row
    }

    fn delivered(&self) -> Option<DateTime<Utc>> {
        (self.status == "FINAL_DELIVERY")
            .then(|| self.found.lines_of(self.order).filter_map(|line| line.delivered_at).max())
            .flatten()
    }

    fn item(&self, item: &OrderItem<'_>) -> Value {
        let Self { order, found, market, version, .. } = *self;
        let first = item.lines[0];
        let sum = |of: &dyn Fn(&Line) -> u32| item.lines.iter().map(|line| of(line)).sum::<u32>();
        let count = sum(&|line| line.quantity);
        let discount = item.lines.iter().fold(Amount::ZERO, |sum, line| sum + line.discount);
        let money = |amount| version.money(amount, market);
        let option = first.axes.iter().map(|axis| &*axis.value).collect::<Vec<_>>();
        let shown = if option.is_empty() {
            first.title.clone()
        } else {
            format!("{}, {}", first.title, option.join(", "))
        };
        let sku = if first.option_sku.is_empty() { &first.seller_code } else { &first.option_sku };
        let promised = order.paid_at.map(|paid| dates::day_of(paid, market) + chrono::Days::new(2));
        json!({
            "vendorItemPackageId": 0,
            "vendorItemPackageName": "",
            "productId": ids::seller_product(first) + 1,
            "vendorItemId": item.vendor_item,
            "vendorItemName": shown,
            "shippingCount": count,
            "salesPrice": money(first.unit_price),
            "orderPrice": money(first.unit_price * count),
            "discountPrice": money(discount),
            "instantCouponDiscount": money(discount),
            "downloadableCouponDiscount": money(Amount::ZERO),
            "coupangDiscount": money(Amount::ZERO),
            "externalVendorSkuCode": (!sku.is_empty()).then_some(sku),
            "etcInfoHeader": null,
            "etcInfoValue": null,
            "etcInfoValues": null,
            "sellerProductId": ids::seller_product(first),
            "sellerProductName": first.title,
            "sellerProductItemName": option.join(" "),
            "firstSellerProductItemName": option.join("/"),
            "cancelCount": sum(&|line| line.cancelled_quantity),
            "holdCountForCancel": sum(&|line| ShipBox::held(order, line.number)),
            "estimatedShippingDate": promised.map(|day| day.to_string()).unwrap_or_default(),
            "plannedShippingDate": found.planned.map(|day| day.to_string()).unwrap_or_default(),
            "invoiceNumberUploadDate": version.moved(found.sent, market),
            "extraProperties": {},
            "pricingBadge": false,
            "usedProduct": false,
            "confirmDate": "",
            "deliveryChargeTypeName": if order.shipping_fee > Amount::ZERO { "유료" } else { "무료" },
            "upBundleVendorItemId": null,
            "upBundleVendorItemName": null,
            "upBundleSize": null,
            "upBundleItem": false,
            "canceled": item.lines.iter().all(|line| line.state == LineState::Cancelled),
        })
    }
}
