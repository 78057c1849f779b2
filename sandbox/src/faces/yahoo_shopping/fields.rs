//! The fields of orders by name, and their values. Pure.

use super::times::{day_of, shown};
use super::view::{Row, View};
use crate::faces::xml::Element;
use crate::market::Person;

/// The fields that `orderList` knows.
pub(super) const LIST: &str = "OrderId,Version,OriginalOrderId,ParentOrderId,DeviceType,IsSeen,IsSplit,IsRoyalty,IsSeller,\
IsAffiliate,IsRatingB2s,OrderTime,ExistMultiReleaseDate,ReleaseDate,LastUpdateTime,Suspect,OrderStatus,StoreStatus,\
RoyaltyFixTime,PrintSlipFlag,PrintDeliveryFlag,PrintBillFlag,BuyerCommentsFlag,PayStatus,SettleStatus,PayType,PayMethod,\
PayMethodName,PayDate,SettleId,UseWallet,NeedBillSlip,NeedDetailedSlip,NeedReceipt,BillFirstName,BillFirstNameKana,\
BillLastName,BillLastNameKana,BillPrefecture,ShipStatus,ShipMethod,ShipMethodName,ShipRequestDate,ShipRequestTime,\
ShipNotes,ShipCompanyCode,ReceiveShopCode,ShipInvoiceNumber1,ShipInvoiceNumber2,ShipInvoiceNumberEmptyReason,ShipUrl,\
ArriveType,ShipDate,NeedGiftWrap,NeedGiftWrapMessage,NeedGiftWrapPaper,ShipFirstName,ShipFirstNameKana,ShipLastName,\
ShipLastNameKana,ShipPrefecture,PayCharge,ShipCharge,GiftWrapCharge,Discount,GiftCardDiscount,UsePoint,TotalPrice,\
RefundTotalPrice,IsGetPointFixAll,SellerId,IsLogin,PayNo,PayNoIssueDate,SellerType,IsPayManagement,ArrivalDate,\
TotalMallCouponDiscount,IsReadOnly,IsApplePay,IsFirstClassDrugIncludes,IsFirstClassDrugAgreement,IsWelcomeGiftIncludes,\
ReceiveSatelliteType,ShipInstructType,ShipInstructStatus,YamatoCoopStatus,ReceiveShopType,ReceiveShopName,\
ExcellentDelivery,IsEazy,EazyDeliveryCode,EazyDeliveryName,FraudHoldStatus,PublicationTime,IsYahooAuctionOrder,\
YahooAuctionMerchantId,YahooAuctionId,IsYahooAuctionDeferred,YahooAuctionCategoryType,YahooAuctionBidType,\
YahooAuctionBundleType,ItemYahooAucId,ItemYahooAucMerchantId,PayMethodChangeDeadline,IsPayMethodChangePossible,\
YourTimesaleDiscount,GoodStoreStatus,CurrentGoodStoreBenefitApply,CurrentPromoPkgApply,IsSubscription,SubscriptionId,\
SubscriptionContinueCount,LineGiftOrderId,IsLineGiftOrder,IsLineGiftShippable,ShippingDeadline,LineGiftCharge,\
TotalImmediateBonusAmount,TotalImmediateBonusRatio,SocialGiftType,IsLineCommerceTabOrder,XshoppingStoreType,\
OptionPartnerType";

/// The groups of `orderInfo` with their fields. The first stands directly in `OrderInfo`.
pub(super) const GROUPS: [(&str, &str); 7] = [
    (
        "",
        "OrderId,Version,OriginalOrderId,ParentOrderId,ChildOrderId,DeviceType,MobileCarrierName,IsSeen,IsSplit,IsRoyalty,\
IsRoyaltyFix,IsSeller,IsAffiliate,IsRatingB2s,NeedSnl,OrderTime,LastUpdateTime,Suspect,SuspectMessage,OrderStatus,\
CancelReason,CancelReasonDetail,StoreStatus,SendConfirmTime,BuyerComments,Notes,OperationUser,HistoryId,\
TotalCouponDiscount,IsMultiShip,MultiShipId,IsReadOnly,FraudHoldStatus,PublicationTime,IsYahooAuctionOrder,YahooAuctionId,\
LineGiftOrderId,IsLineGiftOrder,SocialGiftType,OverlapOrderResult,FirstOrderDoneDate,OptionPartnerType,\
IsFirstClassDrugIncludes,IsFirstClassDrugAgreement,IsWelcomeGiftIncludes,IsSubscription,SubscriptionId",
    ),
    (
        "Pay",
        "PayStatus,SettleStatus,PayType,PayKind,PayMethod,PayMethodName,PayActionTime,PayDate,CombinedPayType,CombinedPayKind,\
CombinedPayMethod,CombinedPayMethodName,PaymentTerm,SettleId,NeedBillSlip,NeedReceipt,BillFirstName,BillFirstNameKana,\
BillLastName,BillLastNameKana,BillZipCode,BillPrefecture,BillCity,BillAddress1,BillAddress2,BillPhoneNumber,\
BillEmgPhoneNumber,BillMailAddress",
    ),
    (
        "Ship",
        "ShipStatus,ShipMethod,ShipMethodName,ShipRequestDate,ShipRequestTime,ShipNotes,ShipCompanyCode,ShipInvoiceNumber1,\
ShipInvoiceNumber2,ShipInvoiceNumberEmptyReason,ShipUrl,ArriveType,ShipDate,ArrivalDate,NeedGiftWrap,GiftWrapType,\
GiftWrapMessage,NeedGiftWrapPaper,GiftWrapPaperType,GiftWrapName,ShipFirstName,ShipFirstNameKana,ShipLastName,\
ShipLastNameKana,ShipZipCode,ShipPrefecture,ShipPrefectureKana,ShipCity,ShipCityKana,ShipAddress1,ShipAddress2,\
ShipPhoneNumber,ShipEmgPhoneNumber,ShipSection1Field,ShipSection1Value,ShipSection2Field,ShipSection2Value,Option1Field,\
Option1Type,Option1Value,Option2Field,Option2Type,Option2Value,IsEazy,EazyDeliveryCode,EazyDeliveryName,\
ReceiveSatelliteType,ReceiveSatelliteShopCode,ReceiveShopType,ReceiveShopCode,ReceiveShopName,ShipInstructType,\
ShipInstructStatus,IsLineGiftShippable,ShippingDeadline",
    ),
    ("Seller", "SellerId"),
    ("Buyer", "IsLogin"),
    (
        "Item",
        "LineId,ItemId,Title,SubCode,SubCodeOption,ItemOption,Inscription,IsUsed,Jan,ProductId,UnitPrice,OriginalPrice,\
CouponDiscount,Quantity,ItemTaxRatio,ReleaseDate,LeadTimeText,LeadTimeStart,LeadTimeEnd,MallCouponData,PriceType",
    ),
    (
        "Detail",
        "PayCharge,ShipCharge,GiftWrapCharge,Discount,Adjustments,UsePoint,GiftCardDiscount,TotalPrice,SettleAmount,\
SettlePayAmount,TaxRatio,TotalMallCouponDiscount,PayMethodAmount,CombinedPayMethodAmount",
    ),
];

/// Whether a list of names, joined with commas, has one.
pub(super) fn has(names: &str, name: &str) -> bool {
    names.split(',').any(|known| known == name)
}

/// Who cancelled, as the record tells.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CancelledBy {
    pub(super) buyer: bool,
    pub(super) seller: bool,
}

/// The element of a field of the order: all but those of lines.
pub(super) fn element(view: &View<'_>, name: &str, by: CancelledBy) -> Element {
    let value = match view.slip.fields.get(name) {
        Some(value) => value.clone(),
        None => value(view, name, by),
    };
    if is_free_text(name) && !value.is_empty() {
        return Element::cdata(name.to_owned(), value);
    }
    Element::text(name.to_owned(), value)
}

/// The value of a field as it is shown.
pub(super) fn shown_value(view: &View<'_>, name: &str) -> String {
    let own = || value(view, name, CancelledBy::default());
    view.slip.fields.get(name).cloned().unwrap_or_else(own)
}

fn is_free_text(name: &str) -> bool {
    let people = ["Bill", "Ship"].iter().any(|p| name.starts_with(p)) && !name.starts_with("ShipInvoice");
    let texts = ["PayMethodName", "BuyerComments", "Notes", "OperationUser", "ShipNotes", "ShipUrl"];
    let plain = ["ShipStatus", "ShipMethod", "ShipRequestDate", "ShipDate", "ShipCompanyCode", "ShipCharge"];
    texts.contains(&name) || (people && !plain.contains(&name))
}

/// Last name and first name: the parts before and after the first space.
fn names(person: &str) -> (&str, &str) {
    person.split_once([' ', '\u{3000}']).unwrap_or((person, ""))
}

fn phones(person: &Person) -> (&str, &str) {
    if person.phone.is_empty() { (&person.mobile, "") } else { (&person.phone, &person.mobile) }
}

/// `<store>-<number>`.
pub(super) fn order_id(store: &str, number: crate::market::OrderNumber) -> String {
    format!("{store}-{number}")
}

fn value(view: &View<'_>, name: &str, by: CancelledBy) -> String {
    let known = order_value(view, name, by).or_else(|| pay_value(view, name));
    known.or_else(|| ship_value(view, name)).or_else(|| sum_value(view, name)).unwrap_or_default()
}

fn order_value(view: &View<'_>, name: &str, by: CancelledBy) -> Option<String> {
    let (order, slip) = (view.order, view.slip);
    Some(match name {
        "OrderId" => order_id(&order.seller, order.number),
        "Version" => "1".into(),
        "ParentOrderId" => slip.parent.map(|parent| order_id(&order.seller, parent)).unwrap_or_default(),
        "ChildOrderId" => {
            slip.children.iter().map(|&child| order_id(&order.seller, child)).collect::<Vec<_>>().join(",")
        }
        "DeviceType" => "1".into(),
        "IsSeen" => view.is_seen().to_string(),
        "IsSplit" => view.is_split().to_string(),
        "IsRoyalty" | "IsLogin" => "true".into(),
        "IsRoyaltyFix"
        | "IsSeller"
        | "IsAffiliate"
        | "IsRatingB2s"
        | "NeedSnl"
        | "IsMultiShip"
        | "IsYahooAuctionOrder"
        | "IsLineGiftOrder"
        | "IsFirstClassDrugIncludes"
        | "IsSubscription" => "false".into(),
        "OrderTime" => shown(order.ordered_at),
        "LastUpdateTime" => shown(view.updated_at()),
        "Suspect" | "OptionPartnerType" | "SocialGiftType" | "OverlapOrderResult" => "0".into(),
        "OrderStatus" => view.order_status().to_string(),
        "CancelReason" => view.cancel_reason(by.buyer, by.seller),
        "CancelReasonDetail" => slip.cancel_detail.clone(),
        "SendConfirmTime" => shown(order.ordered_at),
        "BuyerComments" => order.message.clone(),
        "BuyerCommentsFlag" => (!order.message.is_empty()).to_string(),
        "IsReadOnly" => u8::from(view.is_read_only()).to_string(),
        "FraudHoldStatus" => view.fraud().into(),
        "PublicationTime" => slip.published_at.map(shown).unwrap_or_default(),
        "FirstOrderDoneDate" => slip.first_done.map(|day| day.to_string()).unwrap_or_default(),
        "SellerId" => order.seller.clone(),
        _ => return None,
    })
}

fn pay_value(view: &View<'_>, name: &str) -> Option<String> {
    let order = view.order;
    let method = view.pay_method();
    let (last, first) = names(&order.buyer.name);
    let (last_kana, first_kana) = names(&order.buyer.reading);
    let (phone, second_phone) = phones(&order.buyer);
    let paid_at = order.paid_at.filter(|_| view.is_paid());
    Some(match name {
        "PayStatus" => u8::from(view.is_paid()).to_string(),
        "SettleStatus" => view.settle_status().to_string(),
        "PayType" => u8::from(method.is_prepaid).to_string(),
        "PayKind" => method.kind.to_string(),
        "PayMethod" => method.code.into(),
        "PayMethodName" => method.name.into(),
        "PayActionTime" => paid_at.map(shown).unwrap_or_default(),
        "PayDate" => paid_at.map(|at| day_of(at).to_string()).unwrap_or_default(),
        "NeedBillSlip" | "NeedReceipt" | "NeedDetailedSlip" => "false".into(),
        "BillLastName" => last.into(),
        "BillFirstName" => first.into(),
        "BillLastNameKana" => last_kana.into(),
        "BillFirstNameKana" => first_kana.into(),
        "BillZipCode" => order.address.postal_code.clone(),
        "BillPrefecture" => order.address.region.clone(),
        "BillCity" => order.address.city.clone(),
        "BillAddress1" => order.address.line1.clone(),
        "BillAddress2" => order.address.line2.clone(),
        "BillPhoneNumber" => phone.into(),
        "BillEmgPhoneNumber" => second_phone.into(),
        "BillMailAddress" => order.buyer.email.clone(),
        _ => return None,
    })
}

fn ship_value(view: &View<'_>, name: &str) -> Option<String> {
    let (order, sent) = (view.order, &view.slip.shipment);
    let (last, first) = names(&order.recipient.name);
    let (last_kana, first_kana) = names(&order.recipient.reading);
    let (phone, second_phone) = phones(&order.recipient);
    // What the store shipped in its back office.
    let parcel = order.parcels.last();
    let or_parcel = |text: &str, of: fn(&crate::market::Parcel) -> &str| match (text, parcel) {
        ("", Some(parcel)) if sent.number1.is_empty() && sent.number2.is_empty() => of(parcel).to_owned(),
        (text, _) => text.to_owned(),
    };
    Some(match name {
        "ShipStatus" => view.ship_status().to_string(),
        "ShipMethod" => some_or(&sent.method, "postage1"),
        "ShipMethodName" => "宅配便".into(),
        "ShipRequestDate" => order.desired_delivery.map(|day| day.to_string()).unwrap_or_default(),
        "ShipNotes" => sent.notes.clone(),
        "ShipCompanyCode" => or_parcel(&sent.company, |parcel| &parcel.carrier),
        "ShipInvoiceNumber1" => or_parcel(&sent.number1, |parcel| &parcel.tracking),
        "ShipInvoiceNumber2" => sent.number2.clone(),
        "ShipInvoiceNumberEmptyReason" => sent.empty_reason.clone(),
        "ShipUrl" => sent.url.clone(),
        "ShipDate" => {
            let day = sent.ship_date.or_else(|| parcel.map(|parcel| day_of(parcel.shipped_at)));
            day.map(|day| day.to_string()).unwrap_or_default()
        }
        "ArrivalDate" => sent.arrival_date.map(|day| day.to_string()).unwrap_or_default(),
        "ArriveType" => "0".into(),
        "NeedGiftWrap" | "NeedGiftWrapPaper" | "NeedGiftWrapMessage" | "IsEazy" => "false".into(),
        "ShipLastName" => last.into(),
        "ShipFirstName" => first.into(),
        "ShipLastNameKana" => last_kana.into(),
        "ShipFirstNameKana" => first_kana.into(),
        "ShipZipCode" => order.address.postal_code.clone(),
        "ShipPrefecture" => order.address.region.clone(),
        "ShipCity" => order.address.city.clone(),
        "ShipAddress1" => order.address.line1.clone(),
        "ShipAddress2" => order.address.line2.clone(),
        "ShipPhoneNumber" => phone.into(),
        "ShipEmgPhoneNumber" => second_phone.into(),
        _ => return None,
    })
}

fn some_or(text: &str, other: &str) -> String {
    if text.is_empty() { other.to_owned() } else { text.to_owned() }
}

fn sum_value(view: &View<'_>, name: &str) -> Option<String> {
    Some(match name {
        "PayCharge" | "GiftWrapCharge" | "UsePoint" => "0".into(),
        "ShipCharge" => view.order.shipping_fee.to_string(),
        "Discount" => view.discount().to_string(),
        "TotalPrice" | "SettleAmount" | "PayMethodAmount" => view.total().to_string(),
        "TaxRatio" => "10".into(),
        _ => return None,
    })
}

/// The element of a field of a line. Options repeat, so there can be several.
pub(super) fn item_elements(row: &Row<'_>, name: &str) -> Vec<Element> {
    let line = row.line;
    let text = |value: String| vec![Element::text(name.to_owned(), value)];
    let cdata = |value: String| vec![Element::cdata(name.to_owned(), value)];
    match name {
        "LineId" => text(row.id.to_string()),
        "ItemId" => cdata(row.item_code()),
        "Title" => cdata(line.title.clone()),
        "SubCode" if !line.option_sku.is_empty() => cdata(line.option_sku.clone()),
        "SubCodeOption" if !line.axes.is_empty() => cdata(
            line.axes
                .iter()
                .map(|axis| format!("{}:{}", axis.name, axis.value))
                .collect::<Vec<_>>()
                .join(";"),
        ),
        "ItemOption" if !line.axes.is_empty() => {
            let option = |(at, axis): (usize, &crate::market::Axis)| {
                Element::new("ItemOption")
                    .child(Element::text("Index", at + 1))
                    .child(Element::cdata("Name", &axis.name))
                    .child(Element::cdata("Value", &axis.value))
                    .child(Element::text("Price", 0))
            };
            line.axes.iter().enumerate().map(option).collect()
        }
        "IsUsed" => text("false".into()),
        "UnitPrice" => text(row.unit_price().to_string()),
        "OriginalPrice" if row.coupon().is_some() => text(line.unit_price.to_string()),
        "CouponDiscount" if row.coupon().is_some() => {
            text((row.coupon().unwrap_or_default() * row.quantity).to_string())
        }
        "Quantity" => text(row.quantity.to_string()),
        "ItemTaxRatio" => text("10".into()),
        "PriceType" => text("0".into()),
        _ => text(String::new()),
    }
}
