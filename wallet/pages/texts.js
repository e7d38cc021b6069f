// What the page says, in each of its languages.

const en = {
  "other-language": "中文",
  "other-language-label": "切换到中文",
  theme: "Light or dark",
  balance: "Balance",
  "as-of": "as of {time}",
  "pay-title": "Payment code",
  "code-alt": "Payment code: show it to the camera or scanner of the counter",
  "code-missing": "No payment code yet",
  "countdown-label": "Time until the next code",
  fresh: "New code in {seconds} s",
  renew: "Renew",
  kind: "Kind of payment code",
  "kind-short": "Online code",
  "kind-signed": "Offline code",
  "kind-hint-short": "Show it to the counter’s camera or scanner.",
  "kind-hint-signed": "Also works where the counter is offline.",
  sound: "Play sound",
  "sound-playing": "Playing …",
  "sound-hint": "Hold the phone close to the terminal, volume up.",
  scan: "Scan",
  "tab-pay": "Pay",
  "tab-cards": "Cards",
  "tab-payments": "Payments",
  tabs: "Parts of the wallet",
  cards: "Cards and coupons",
  member: "Member card",
  "member-alt": "Member card as QR code",
  "member-hint": "Show it before you pay.",
  coupons: "Coupons",
  "no-coupons": "You have no coupons now.",
  "coupon-alt": "Coupon as QR code",
  "coupon-hint": "Show it to the counter before you pay.",
  payments: "Last payments",
  "no-payments": "Nothing paid yet.",
  close: "Close",
  cancel: "Cancel",
  done: "Done",
  next: "Next",
  "scanner-title": "Scan the terminal’s code",
  "scanner-looking": "Hold the code inside the frame.",
  "scanner-starting": "Starting the camera …",
  photo: "Choose a photo",
  "photo-empty": "No code was found in this photo. Take it closer and in good light.",
  typed: "or type or paste the code",
  "offer-title": "Pay this?",
  "offer-terminal": "Counter {terminal}",
  "offer-short": "Your balance is lower than this amount.",
  pay: "Pay {amount}",
  paying: "Paying …",
  bind: "Show a code for this sale instead",
  bound: "Only for {merchant}",
  unbind: "Undo",
  again: "Ask again",
  "retry-pay": "Try again",
  "result-approved": "Paid",
  "result-declined": "Not paid",
  "result-unknown": "Not known yet",
  "result-pending": "Still in progress",
  "text-approved": "The counter’s display says so too.",
  "text-declined": "Nothing was taken from your account.",
  "text-unknown": "No answer came, so this may have been paid. Ask again: it is never paid twice.",
  "text-pending": "The payment is not decided yet. Ask again in a moment.",
  "verdict-approved": "Paid",
  "verdict-declined": "Declined",
  "verdict-pending": "In progress",
  "verdict-unknown": "Not known yet",
  "verdict-reversed": "Returned",
  refunded: "Refunded {amount}",
  "problem-key": "This page is locked. Open the address that “tillwave wallet serve” printed, with all that follows #.",
  "problem-server": "The wallet itself does not answer. Is “tillwave wallet serve” still running?",
  "problem-unreachable": "No connection to the house wallet. An offline code still works at the counter.",
  "problem-untrusted": "The house wallet’s certificate is not trusted. Do not pay; ask the staff.",
  "problem-answer-lost": "The house wallet does not answer now. Try again.",
  "problem-unintelligible": "The house wallet gave an answer that cannot be read. Try again later.",
  "problem-not-payable": "This code cannot be paid. Scan the code on the terminal’s display.",
  "problem-refused": "This sale is over or not known. Ask for a new code at the counter.",
  "problem-no-sound": "Sound is not installed on this wallet. Show the code instead.",
  "problem-too-large": "This picture is too large.",
  "problem-play": "This browser plays no sound. Show the code instead.",
  "problem-camera-none": "No camera was found. Choose a photo, or type the code.",
  "problem-camera-denied": "The camera is not allowed for this page. Allow it in the browser, choose a photo, or type the code.",
  "problem-camera-insecure": "Browsers give the camera to HTTPS pages alone. Choose a photo, or type the code.",
  "problem-camera": "The camera does not start; another program may be using it. Choose a photo, or type the code.",
  problem: "This did not work. Try again.",
  "reason-insufficient-funds": "Your balance is too low.",
  "reason-sale-closed": "This sale is over already.",
  "reason-unknown-sale": "This sale is over or not known. Ask for a new code at the counter.",
  "reason-superseded": "The counter shows a newer code. Scan that one.",
  "reason-amount": "The amount has changed. Scan the code again.",
  "reason-already-paid": "This sale has been paid already.",
  "reason-withdrawn": "The counter has withdrawn this payment.",
  "reason-coupon-gone": "A coupon of this sale is no longer good. Ask at the counter.",
  "reason-currency": "The house wallet does not hold this currency.",
  "reason-unknown-account": "This phone no longer belongs to an account. Enrol it again.",
  "reason-forged": "This phone no longer belongs to the account. Enrol it again.",
  "reason-stale": "The clock of this phone is wrong. Set it, then try again.",
  "reason-id-reused": "This order was already used for another payment.",
};

const zh = {
  "other-language": "EN",
  "other-language-label": "Switch to English",
  theme: "浅色或深色",
  balance: "余额",
  "as-of": "截至 {time}",
  "pay-title": "付款码",
  "code-alt": "付款码：请向柜台的摄像头或扫码枪出示",
  "code-missing": "暂无付款码",
  "countdown-label": "距离刷新的时间",
  fresh: "{seconds} 秒后刷新",
  renew: "刷新",
  kind: "付款码种类",
  "kind-short": "在线付款码",
  "kind-signed": "离线付款码",
  "kind-hint-short": "请向柜台的摄像头或扫码枪出示。",
  "kind-hint-signed": "图案较大，柜台断网时也可使用。",
  sound: "声波付款",
  "sound-playing": "播放中…",
  "sound-hint": "请调高音量，将手机靠近收款终端。",
  scan: "扫一扫",
  "tab-pay": "付款",
  "tab-cards": "卡券",
  "tab-payments": "账单",
  tabs: "钱包栏目",
  cards: "卡券",
  member: "会员卡",
  "member-alt": "会员卡二维码",
  "member-hint": "请在付款前出示。",
  coupons: "优惠券",
  "no-coupons": "暂无优惠券。",
  "coupon-alt": "优惠券二维码",
  "coupon-hint": "请在付款前向柜台出示。",
  payments: "最近付款",
  "no-payments": "还没有付款记录。",
  close: "关闭",
  cancel: "取消",
  done: "完成",
  next: "下一步",
  "scanner-title": "扫描终端上的二维码",
  "scanner-looking": "请将二维码放入框内。",
  "scanner-starting": "正在打开摄像头…",
  photo: "从相册选择",
  "photo-empty": "照片中没有找到二维码，请靠近些、在光线充足处重拍。",
  typed: "或输入、粘贴二维码内容",
  "offer-title": "确认付款",
  "offer-terminal": "收款终端 {terminal}",
  "offer-short": "余额不足以支付此金额。",
  pay: "支付 {amount}",
  paying: "支付中…",
  bind: "改为出示本单付款码",
  bound: "仅限 {merchant}",
  unbind: "取消",
  again: "再查一次",
  "retry-pay": "重试",
  "result-approved": "支付成功",
  "result-declined": "未支付",
  "result-unknown": "结果未知",
  "result-pending": "处理中",
  "text-approved": "柜台屏幕也会显示支付成功。",
  "text-declined": "没有从您的账户扣款。",
  "text-unknown": "没有收到答复，可能已经支付。请再查一次，不会重复扣款。",
  "text-pending": "支付尚未有结果，请稍后再查。",
  "verdict-approved": "已支付",
  "verdict-declined": "未通过",
  "verdict-pending": "处理中",
  "verdict-unknown": "结果未知",
  "verdict-reversed": "已退回",
  refunded: "已退款 {amount}",
  "problem-key": "本页已锁定。请打开 “tillwave wallet serve” 显示的完整地址（包括 # 之后的内容）。",
  "problem-server": "钱包程序没有应答。“tillwave wallet serve” 是否仍在运行？",
  "problem-unreachable": "无法连接钱包服务。离线付款码仍可在柜台使用。",
  "problem-untrusted": "钱包服务的证书不可信。请勿付款，并联系工作人员。",
  "problem-answer-lost": "钱包服务暂时没有应答，请重试。",
  "problem-unintelligible": "钱包服务的答复无法识别，请稍后重试。",
  "problem-not-payable": "此码无法付款，请扫描终端屏幕上的二维码。",
  "problem-refused": "此单已结束或不存在，请向柜台索取新的二维码。",
  "problem-no-sound": "此钱包未安装声波功能，请出示付款码。",
  "problem-too-large": "图片过大。",
  "problem-play": "此浏览器无法播放声音，请出示付款码。",
  "problem-camera-none": "没有找到摄像头。请从相册选择或输入内容。",
  "problem-camera-denied": "本页未获准使用摄像头。请在浏览器中允许，或从相册选择、输入内容。",
  "problem-camera-insecure": "浏览器只允许 HTTPS 页面使用摄像头。请从相册选择或输入内容。",
  "problem-camera": "摄像头无法启动，可能被其他程序占用。请从相册选择或输入内容。",
  problem: "操作未成功，请重试。",
  "reason-insufficient-funds": "余额不足。",
  "reason-sale-closed": "此单已结束。",
  "reason-unknown-sale": "此单已结束或不存在，请向柜台索取新的二维码。",
  "reason-superseded": "柜台已显示新的二维码，请重新扫描。",
  "reason-amount": "金额已变更，请重新扫描。",
  "reason-already-paid": "此单已经支付。",
  "reason-withdrawn": "柜台已撤回此次付款。",
  "reason-coupon-gone": "此单的优惠券已失效，请咨询柜台。",
  "reason-currency": "钱包不支持此币种。",
  "reason-unknown-account": "此手机不再属于任何账户，请重新开通。",
  "reason-forged": "此手机不再属于该账户，请重新开通。",
  "reason-stale": "手机时间不准确，请校准后重试。",
  "reason-id-reused": "此订单号已用于其他付款。",
};

const LANGUAGES = { en, zh };
const LOCALES = { en: "en-GB", zh: "zh-CN" };
const SYMBOLS = { CNY: "¥", JPY: "¥", HKD: "HK$", MOP: "MOP$", TWD: "NT$", SGD: "S$", USD: "$", EUR: "€", GBP: "£" };

let language = "en";

export function useLanguage(wanted) {
  language = wanted in LANGUAGES ? wanted : "en";
  document.documentElement.lang = LOCALES[language];
}

export const languageNow = () => language;
export const otherLanguage = () => (language === "en" ? "zh" : "en");
export const has = (name) => name in LANGUAGES[language];

export function text(name, values = {}) {
  return LANGUAGES[language][name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

export function symbolOf(currency) {
  return SYMBOLS[currency] ?? currency;
}

// Amounts come as decimal text and stay text: no float touches them.
export function digitsOf(amount) {
  const [whole, fraction] = amount.decimal.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

export function moneyText(amount) {
  return `${symbolOf(amount.currency)} ${digitsOf(amount)}`;
}

export function timeText(milliseconds) {
  const time = new Date(milliseconds);
  const sameDay = time.toDateString() === new Date().toDateString();
  const day = sameDay ? {} : { month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(LOCALES[language], { ...day, hour: "2-digit", minute: "2-digit" }).format(time);
}
