// TikTok Shop's face, called with a client from npm that others wrote.
// requires: tiktok-shop-sdk@1.0.3

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.PEER_MODULES}/`);
const { TikTokShopSDK } = require("tiktok-shop-sdk");
const start = JSON.parse(process.argv[2]);
const { base_url: baseUrl, credentials: key } = start.faces.tiktok_shop;

// Its two hosts are literals: what it fetches gets the sandbox's address in place of them, and is otherwise as it is.
const hosts = ["https://open-api.tiktokglobalshop.com", "https://auth.tiktok-shops.com"];
const ownFetch = globalThis.fetch;
globalThis.fetch = (url, init) => {
    const host = hosts.find((known) => url.startsWith(`${known}/`));
    assert.ok(host, `fetches ${url}`);
    return ownFetch(baseUrl + url.slice(host.length), init);
};

const sdk = new TikTokShopSDK({ appKey: key.app_key, appSecret: key.app_secret });
const granted = await sdk.auth.getAccessToken({ auth_code: key.auth_code });
await assert.rejects(sdk.auth.getAccessToken({ auth_code: key.auth_code }), { code: 36004004 });
const renewed = await sdk.auth.refreshAccessToken({ refresh_token: granted.data.refresh_token });
sdk.setAccessToken(renewed.data.access_token);
const { shops } = (await sdk.shop.getAuthorizedShops()).data;
assert.equal(shops[0].id, key.shop_id);
sdk.setShopCipher(shops[0].cipher);

const list = async (query, body) => (await sdk.order.getOrderList({ query, body })).data;
const first = await list({ page_size: 3 }, { order_status: "AWAITING_SHIPMENT" });
assert.equal(first.total_count, 5);
const second = await list({ page_size: 3, page_token: first.next_page_token }, { order_status: "AWAITING_SHIPMENT" });
assert.equal(second.next_page_token, "");
const orders = [...first.orders, ...second.orders];
assert.equal(new Set(orders.map((order) => order.id)).size, 5);
const ids = orders.map((order) => order.id);
const detail = (await sdk.order.getOrderDetail({ ids })).data;
assert.deepEqual(detail.orders.map((order) => order.id), ids);

const found = await sdk.product.searchProducts({ query: { page_size: 10 }, body: { seller_skus: ["MUG-03"] } });
const [product] = found.data.products;
const [sku] = product.skus;
assert.equal(sku.inventory[0].quantity, 25);
const inventory = [{ warehouse_id: sku.inventory[0].warehouse_id, quantity: 7 }];
await sdk.product.updateProductInventory({ product_id: product.id, body: { skus: [{ id: sku.id, inventory }] } });
const stock = await sdk.product.searchInventory({ sku_ids: [sku.id] });
assert.equal(stock.data.inventory[0].skus[0].total_available_quantity, 7);

const number = BigInt(ids[0]) - 576_000_000_000_000_000n;
const asked = await ownFetch(`${start.control}/orders/${number}/request-cancel`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ reason: "ordered by mistake" }),
});
assert.ok(asked.ok);
const pending = { query: { page_size: 50 }, body: { cancel_status: ["CANCELLATION_REQUEST_PENDING"] } };
const { cancellations } = (await sdk.return_refund.searchCancellation(pending)).data;
assert.deepEqual(new Set(cancellations.map((cancel) => cancel.order_id)), new Set([ids[0]]));
for (const { cancel_id } of cancellations) {
    await sdk.return_refund.approveCancellation({ cancel_id, query: { idempotency_key: `key-${cancel_id}` } });
}
assert.equal((await sdk.return_refund.searchCancellation(pending)).data.total_count, 0);
assert.equal((await sdk.order.getOrderDetail({ ids: [ids[0]] })).data.orders[0].status, "CANCELLED");

const stranger = new TikTokShopSDK({ appKey: key.app_key, appSecret: "wrong" });
stranger.setAccessToken(renewed.data.access_token);
await assert.rejects(stranger.shop.getAuthorizedShops(), { code: 106001 });
