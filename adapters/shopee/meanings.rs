//! What the codes of the modules mean, and which of them pass. The channel's text takes part: one code stands for many
//! things.

use super::errors::Code;

/// Whether the channel's own systems failed: it is open what was done.
pub(super) fn is_system(code: Code<'_>, said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    match code.name {
        // Two refusals of the stock call hide behind these codes.
        "error_server" | "error_inner" => !said.contains("fbs shop") && !said.contains("stock location"),
        "error_network"
        | "error_system_busy"
        | "error_other"
        | "error_timeout"
        | "error_connection"
        | "error_core_server"
        | "error_third_party_server"
        | "error_unknown"
        | "error_operation_failed"
        | "business_process_error" => !said.contains("not support") && !said.contains("can not support"),
        "error_data" => said.contains("parse data"),
        "order_split_failed" => said.contains("try again"),
        "remove_ofg_from_group_failed" => true,
        "error_param" => said.contains("system error"),
        _ => false,
    }
}

/// Whether the reason of a refusal passes by itself, or with something that the merchant or the buyer does.
pub(super) fn is_waiting(code: Code<'_>, said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    let words = ["being allocated", "reselect", "select another pickup", "pre-authorization", "holiday mode"];
    matches!(
        code.name,
        "ship_order_not_ready_to_ship"
            | "lack_of_invoice_data"
            | "order_prescription_unchecked"
            | "ship_order_pickup_time_invalid"
            | "no_available_time_slot"
            | "ship_order_need_pacakge_number"
            | "ship_order_not_need_pacakge_number"
            | "package_number_not_exist"
            | "warehouse_stock_insufficient"
    ) || words.iter().any(|word| said.contains(word))
        || said.contains("only be obtained when package is ready")
}

/// What a refusal means, in words; empty: the channel's text says it.
pub(super) fn meaning(code: Code<'_>, said: &str) -> &'static str {
    let said = said.to_ascii_lowercase();
    match code.name {
        "ship_order_not_ready_to_ship" => "the order can't be shipped yet",
        "ship_order_need_pacakge_number"
        | "ship_order_not_need_pacakge_number"
        | "package_number_not_exist" => "the order was split or put together since it was read",
        "error_booking_order" => {
            "the order is matched with an advance fulfilment booking: nothing is to be shipped"
        }
        "ship_order_pff_init" => "Shopee ships this order from its own warehouse",
        "lack_of_invoice_data" => "the invoice is missing or not accepted: upload it in Seller Centre",
        "order_prescription_unchecked" => "the prescription is not checked yet",
        "order_cannot_split" => "this shop may not split orders",
        "order_cannot_split_pff" => "orders that Shopee ships from its own warehouse can't be split",
        "order_split_duplicate_item" => "an order that holds the same item twice can't be split",
        "order_split_wrong_item_position" => "the items of a bundle or add-on deal must stay in one package",
        "order_split_failed" => "the order can't be split (paid in instalments?)",
        "error_wms_shop_block_upate_stock" => "the stock of this shop is kept by Shopee's warehouse",
        "error_busi" | "error_auth" | "error_inner" if said.contains("location") => {
            "the shop's warehouses and the one that was named do not fit: check the option stock_location_id"
        }
        _ if said.contains("reserved stock") || said.contains("reserve stock") => {
            "the stock can't go below what is reserved for a promotion"
        }
        _ if said.contains("different stock structure") => {
            "the item's stock is kept by warehouses and was set without, or the other way round"
        }
        "order_status_invalid" | "cancel_order_invalid_status" => "no cancel request is open on this order",
        _ => "",
    }
}
