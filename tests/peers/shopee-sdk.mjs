// Shopee's face, called with the community's SDK: its base URL is a setting.
// requires: @congminh1254/shopee-sdk@2.7.0

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

// It is a module without an entry for require.
const lib = pathToFileURL(`${process.env.PEER_MODULES}/@congminh1254/shopee-sdk/lib/`);
const { ShopeeSDK } = await import(new URL("sdk.js", lib));
const { InMemoryTokenStorage } = await import(new URL("storage/index.js", lib));
const start = JSON.parse(process.argv[2]);
const { base_url: baseUrl, credentials: key } = start.faces.shopee;
const settings = { partner_id: key.partner_id, partner_key: key.partner_key, base_url: `${baseUrl}/api/v2` };

const tokens = new InMemoryTokenStorage();
const sdk = new ShopeeSDK(settings, tokens);
const refused = (call, code) => assert.rejects(call, (error) => (assert.equal(error.data?.error, code), true));
const number = (sn) => parseInt(sn.slice(6), 36);
const control = async (path, body) => {
    const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(`${start.control}/${path}`, body ? options : {});
    assert.ok(answer.ok, `${path}: ${answer.status}`);
    return answer.json();
};

// Tokens; it renews a bad one by itself, once.
const first = await sdk.authenticateWithCode(key.code, key.shop_id);
await refused(sdk.auth.getAccessToken(key.code, key.shop_id), "invalid_code");
await tokens.store({ ...first, access_token: "made up" });
const info = await sdk.shop.getShopInfo();
assert.equal(info.region, "SG");
const renewed = await tokens.get();
assert.notEqual(renewed.refresh_token, first.refresh_token);
await refused(sdk.auth.getRefreshToken(first.refresh_token, key.shop_id), "error_shop_refresh_token");
const { authed_shop_list: shops } = await sdk.public.getShopsByPartner({ page_size: 100, page_no: 1 });
assert.ok(shops.some((shop) => shop.shop_id === key.shop_id));

// Orders, three at a time.
const now = Math.floor(Date.now() / 1000);
const window = { time_range_field: "update_time", time_from: now - 86400, time_to: now + 60 };
const orders = [];
for (let cursor = "", more = true; more; ) {
    const page = (
        await sdk.order.getOrderList({ ...window, page_size: 3, cursor, response_optional_fields: "order_status" })
    ).response;
    orders.push(...page.order_list);
    ({ more, next_cursor: cursor } = page);
}
assert.equal(new Set(orders.map((order) => order.order_sn)).size, 5);
assert.ok(orders.every((order) => order.order_status === "READY_TO_SHIP"));
const sns = orders.map((order) => order.order_sn);
const detail = async (list) =>
    (
        await sdk.order.getOrderDetail({
            order_sn_list: list.join(","),
            response_optional_fields: "item_list,package_list,recipient_address,total_amount,pay_time,cancel_by",
        })
    ).response.order_list;
const shown = await detail(sns);
assert.deepEqual(shown.map((order) => order.order_sn), sns);
assert.ok(shown.every((order) => order.pay_time instanceof Date && order.package_list.length === 1));
await refused(
    sdk.order.getOrderList({ ...window, time_from: now - 16 * 86400, page_size: 3 }),
    "order.order_list_invalid_time",
);

// The queue to ship, and the dispatch of one of it.
const queue = async (status) =>
    (await sdk.order.searchPackageList({ filter: { package_status: status }, pagination: { page_size: 50, cursor: "" } }))
        .response.packages_list;
assert.equal((await queue(2)).length, 5);
const [sn, buyers, ours] = sns;
const parameter = (await sdk.logistics.getShippingParameter({ order_sn: sn })).response;
assert.deepEqual(parameter.info_needed, { pickup: ["address_id", "pickup_time_id"], dropoff: [] });
await sdk.logistics.shipOrder({ order_sn: sn, dropoff: {} });
await refused(sdk.logistics.shipOrder({ order_sn: sn, dropoff: {} }), " logistics.package_already_shipped");
await refused(sdk.logistics.shipOrder({ order_sn: ours }), "logistics.ship_order_only_support_one_type");
const { tracking_number: tracking } = (await sdk.logistics.getTrackingNumber({ order_sn: sn })).response;
assert.ok(tracking);
const [parcel] = shown[0].package_list;
const details = await sdk.order.getPackageDetail({ package_number_list: parcel.package_number });
assert.equal(details.response.package_list[0].tracking_number, tracking);
assert.equal((await queue(3)).length, 1);

// Cancelling: the buyer's wish, and the seller's own.
await control(`orders/${number(buyers)}/request-cancel`, { reason: "ordered by mistake" });
await sdk.order.handleBuyerCancellation({ order_sn: buyers, operation: "ACCEPT" });
await sdk.order.cancelOrder({ order_sn: ours, cancel_reason: "CUSTOMER_REQUEST" });
const ended = await detail([buyers, ours]);
assert.deepEqual(ended.map((order) => [order.order_status, order.cancel_by]), [["CANCELLED", "buyer"], ["CANCELLED", "seller"]]);
await refused(sdk.order.handleBuyerCancellation({ order_sn: sn, operation: "ACCEPT" }), "order.order_status_invalid");

// Items and stock.
const list = (await sdk.product.getItemList({ offset: 0, page_size: 100, item_status: ["NORMAL", "UNLIST"] })).response;
assert.equal(list.item.length, 6);
const base = (await sdk.product.getItemBaseInfo({ item_id_list: list.item.map((item) => item.item_id) })).response;
const shirt = base.item_list.find((item) => item.item_sku === "TEE-01");
const models = (await sdk.product.getModelList({ item_id: shirt.item_id })).response.model;
const red = models.find((model) => model.model_sku === "TEE-01-RED-M");
const set = await sdk.product.updateStock({
    item_id: shirt.item_id,
    stock_list: [{ model_id: red.model_id, seller_stock: [{ stock: 7 }] }],
});
assert.deepEqual(set.response.success_list, [{ model_id: red.model_id, location_id: "", stock: 7 }]);
const missing = { model_id: 1, seller_stock: [{ stock: 1 }] };
await refused(
    sdk.product.updateStock({ item_id: shirt.item_id, stock_list: [missing] }),
    "error_busi_update_stock_failed",
);
await refused(sdk.shop.getWarehouseDetail({ warehouse_type: 1 }), "warehouse.error_not_in_whitelist");

const record = (await control("record")).filter((event) => event.by === "api" && !event.refused);
assert.deepEqual(new Set(record.filter((event) => event.action === "shipped").map((event) => event.tracking)), new Set([tracking]));
assert.deepEqual(record.filter((event) => event.action === "quantity_set").map((event) => event.quantity), [7]);

const stranger = new ShopeeSDK({ ...settings, partner_key: "wrong" }, tokens);
await refused(stranger.public.getShopsByPartner({ page_size: 1, page_no: 1 }), "error_sign");
console.log("5 orders read, 1 sent, 2 cancelled, stock set");
