// Drives a terminal with the published client, unchanged: payment, status, abort in flight, refund, wrong passphrase.
// node nexo_client.js LIBRARY CERTIFICATE KEY_IDENTIFIER KEY_VERSION PASSPHRASE SALE_ID POI_ID STORY
const [library, certificate, identifier, version, passphrase, saleId, poiId, story] = process.argv.slice(2);
const { Client, Config, EnvironmentEnum, TerminalLocalAPI } = require(library);

const terminal = new TerminalLocalAPI(new Client(new Config({
  environment: EnvironmentEnum.TEST, apiKey: "unused", terminalApiLocalEndpoint: "https://127.0.0.1", certificatePath: certificate,
})));
const key = (text) => ({ AdyenCryptoVersion: 1, KeyIdentifier: identifier, KeyVersion: Number(version), Passphrase: text });

function ask(category, service, body, text = passphrase) {
  const header = { MessageClass: "Service", MessageCategory: category, MessageType: "Request", ProtocolVersion: "3.0",
    ServiceID: service, SaleID: saleId, POIID: poiId };
  return terminal.request({ SaleToPOIRequest: { MessageHeader: header, [`${category}Request`]: body } }, key(text));
}

const saleData = { SaleTransactionID: { TransactionID: "R-1", TimeStamp: "2026-03-02T10:00:00Z" } };
const amounts = { AmountsReq: { Currency: "CNY", RequestedAmount: 12.34 } };
const payment = { SaleData: saleData, PaymentTransaction: amounts };
const reference = { MessageReference: { ServiceID: "1", MessageCategory: "Payment" } };

const stories = {
  pay: () => ask("Payment", "1", payment),
  status: () => ask("TransactionStatus", "2", reference),
  abort: async () => {
    const paying = ask("Payment", "1", payment);
    let status;
    do {
      await new Promise((done) => setTimeout(done, 100));
      status = await ask("TransactionStatus", String(Date.now() % 1e9), reference);
    } while (status.SaleToPOIResponse.TransactionStatusResponse.Response.ErrorCondition === "NotFound");
    await ask("Abort", "3", { ...reference, AbortReason: "MerchantAbort" });
    return paying;
  },
  refund: async () => {
    const paid = (await ask("Payment", "1", payment)).SaleToPOIResponse.PaymentResponse.POIData;
    const badge = { ...saleData, SaleToPOIData: `badge=${process.env.BADGE}` };
    return ask("Reversal", "4", { OriginalPOITransaction: paid, ReversalReason: "MerchantCancel", SaleData: badge });
  },
  forged: () => ask("Payment", "1", payment, "not the passphrase"),
};

stories[story]().then(
  (answer) => console.log(JSON.stringify(answer)),
  (error) => { console.error(error.message); process.exit(1); },
);
