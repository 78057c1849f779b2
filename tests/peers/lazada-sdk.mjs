// Lazada's face, called with a client from npm that others wrote. It is of 2018: what it packs and cancels by is gone.
// requires: lazada-open-platform-sdk@2.0.0-0

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.PEER_MODULES}/`);
const start = JSON.parse(process.argv[2]);
const { base_url: baseUrl, credentials: key } = start.faces.lazada;

// Its hosts are literals: over plain HTTP, which it can be told, the sandbox is its proxy, and sees them as they are.
process.env.HTTP_PROXY = baseUrl;
process.env.NO_PROXY = "";
const LazadaAPI = require("lazada-open-platform-sdk");
const api = new LazadaAPI(key.app_key, key.app_secret, "SINGAPORE");
const call = (name, payload, method, secret = api.appSecret) =>
    api.client[name](api.appKey, secret, api.gateway, api.accessToken, payload, method, "HTTP");

// It sends parameters of POST in the query, and again as JSON.
const granted = await call("generateAccessToken", { code: key.auth_code }, "POST");
await assert.rejects(call("generateAccessToken", { code: key.auth_code }, "POST"), { code: "InvalidCode" });
const renewed = await call("refreshAccessToken", { refresh_token: granted.refresh_token }, "GET");
api.accessToken = renewed.access_token;

const search = { created_after: "2018-02-10T16:00:00+08:00", sort_by: "created_at", sort_direction: "ASC", limit: 3 };
await assert.rejects(call("getOrders", search, "GET", "wrong"), { code: "IncompleteSignature" });
const first = (await call("getOrders", { ...search, offset: 0 }, "GET")).data;
const second = (await call("getOrders", { ...search, offset: 3 }, "GET")).data;
assert.deepEqual([first.countTotal, first.count, second.count], [5, 3, 2]);
const ids = [...first.orders, ...second.orders].map((order) => Number(order.order_id));
assert.equal(new Set(ids).size, 5);
const one = (await call("getOrder", { order_id: ids[0] }, "GET")).data;
assert.equal(one.order_id, ids[0]);
const items = (await call("getOrderItems", { order_id: String(ids[0]) }, "GET")).data;
assert.equal(items.length, one.items_count);
assert.ok(items.every((item) => item.status === "pending"));
await assert.rejects(call("getOrder", { order_id: 1 }, "GET"), { code: "16", type: "ISP" });

const listed = async () => (await call("getProducts", { filter: "live", limit: 50 }, "GET")).data.products;
const [product] = await listed();
const [sku] = product.skus;
const row = (quantity) =>
    `<Request><Product><Skus><Sku><ItemId>${product.item_id}</ItemId><SkuId>${sku.SkuId}</SkuId>` +
    `<SellerSku>${sku.SellerSku}</SellerSku><Quantity>${quantity}</Quantity></Sku></Skus></Product></Request>`;
const locked = sku.quantity - sku.Available;
await call("updatePriceQuantity", { payload: row(locked + 7) }, "POST");
assert.equal((await listed())[0].skus[0].Available, 7);
const answer = await call("updatePriceQuantity", { payload: row(-1) }, "POST").catch((failure) => failure);
assert.deepEqual([answer.code, answer.detail.length], ["501", 1]);
