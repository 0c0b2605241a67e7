// What nginx asks while it answers: who is it, does the grant hold, is the account restrained, is anybody let through?
//
// Begun anew for each request that needs it, so what is seldom needed stands in riparian_said.js. `settings` is
// riparian.json, read once when nginx starts; nginx.conf says of each variable which function gives it.
//
//   shared dictionary      what it holds
//   riparian_verdicts      "a" + account: "hold 1795000000 evidence"; ":at": epoch, seq and count of the list
//   riparian_counts        counters of the metrics page, and the last time that the gate and the pusher were heard of
//   riparian_down          requests of an account in a minute, while the gate is out of reach
//
// The list is the truth. With --list keyval, $riparian_listed says at C speed that an account is NOT on it; an
// account that may be is looked up here. An entry too many there costs microseconds, so none is ever taken for granted:
// until all are there ($riparian_mirrored), everybody is looked up here.
import crypto from 'crypto';

function now_s() {
    return Math.floor(Date.now() / 1000);
}

// ---- grants ----

// Takes the same time wherever the first difference is.
function same(a, b) {
    if (a.length !== b.length) {
        return false;
    }
    let difference = 0;
    for (let i = 0; i < a.length; i++) {
        difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
    }
    return difference === 0;
}

function secret_of(kid) {
    const keys = settings.keys;
    for (let i = 0; i < keys.length; i++) {
        if (keys[i].kid === kid) {
            return keys[i];
        }
    }
    return null;
}

function sealed(key, canonical) {
    return crypto.createHmac('sha256', Buffer.from(key.secret, 'hex')).update(canonical).digest('hex').slice(0, 32);
}

// The bytes that a text of Base64 for URLs spells, null for any second spelling of them.
function bytes_of(text) {
    const bytes = Buffer.from(text, 'base64url');
    return bytes.toString('base64url') === text ? bytes : null;
}

function words_of(text) {
    const bytes = bytes_of(text);
    return bytes === null ? '' : bytes.toString();
}

function covers(limit, path) {
    return limit.endsWith('/') ? path.startsWith(limit) : path === limit;
}

// The end of a grant of --grants hmac that has no other fault, in seconds; else what is wrong with it.
function end_of_hmac(v, token) {
    const parts = token.split('.');
    if (parts.length !== 7 || parts[0] !== 'rg1' || !/^[1-9]\d{0,11}$/.test(parts[2])) {
        return 'malformed';
    }
    const key = secret_of(parts[1]);
    if (key === null || (key.retires_s && key.retires_s <= now_s())) {
        return 'unknown key';
    }
    const account = words_of(parts[4]);
    const path = words_of(parts[5]);
    const mac = bytes_of(parts[6]);
    if (account === '' || path === '' || mac === null) {
        return 'malformed';
    }
    const said = `rg1\n${parts[1]}\n${parts[2]}\n${account}\n${v.riparian_device || ''}\n${parts[3]}\n${path}`;
    if (!same(mac.toString('hex'), sealed(key, said))) {
        return 'bad mac';
    }
    if (account !== v.riparian_account) {
        return 'other account';
    }
    return covers(path, v.riparian_path) ? Number(parts[2]) : 'other path';
}

// The same of --grants jwt.
function end_of_jwt(v, token) {
    const parts = token.split('.');
    const key = parts.length === 3 ? secret_of(claim_of('.' + parts[0], 'kid')) : null;
    if (key === null || (key.retires_s && key.retires_s <= now_s()) || claim_of('.' + parts[0], 'alg') !== 'HS256') {
        return 'unknown key';
    }
    const mac = crypto.createHmac('sha256', Buffer.from(key.secret, 'hex')).update(`${parts[0]}.${parts[1]}`);
    if (!same(mac.digest('base64url'), parts[2])) {
        return 'bad mac';
    }
    const path = claim_of(token, 'rp');
    if (claim_of(token, 'iss') !== 'riparian' || claim_of(token, 'sub') !== v.riparian_account) {
        return 'other account';
    }
    if (claim_of(token, 'rd') !== device_code_of(v.riparian_device)) {
        return 'other device';
    }
    return path !== '' && covers(path, v.riparian_path) ? Number(claim_of(token, 'exp') || 'none') : 'other path';
}

// Whether the cookie that came with a renewal holds here. It stands in for a grant that has ended, and for no other.
function is_kept(v, end_of) {
    return now_s() < end_of(v, v.cookie_riparian || '');
}

// $riparian_grant of --grants hmac: ok; kept, in the cookie; late, past its end; else what is wrong with it.
function grant(r) {
    const v = r.variables;
    const end_s = end_of_hmac(v, v.arg_g || '');
    if (typeof end_s === 'string') {
        return end_s;
    }
    if (now_s() < end_s) {
        return 'ok';
    }
    if (is_kept(v, end_of_hmac)) {
        return 'kept';
    }
    return now_s() < end_s + settings.renewed_s ? 'late' : 'ended';
}

// $riparian_shown: which JWT is to be verified. Only a good one that has ended is looked for in the cookie.
function shown(r) {
    const v = r.variables;
    const token = v.arg_g || '';
    return end_of_jwt(v, token) <= now_s() && is_kept(v, end_of_jwt) ? v.cookie_riparian : token;
}

// $riparian_device_code: how a JWT names the device that it is bound to.
function device_code(r) {
    return device_code_of(r.variables.riparian_device);
}

function device_code_of(device) {
    const digest = device ? crypto.createHash('sha256').update(device).digest('hex') : '';
    return device ? Buffer.from(digest.slice(0, 24), 'hex').toString('base64url') : '';
}

function claimed_end_s(v) {
    const token = v.arg_g || '';
    if (settings.grants === 'secure_link') {
        return Number(v.arg_e);
    }
    return Number(settings.grants === 'jwt' ? claim_of(token, 'exp') : token.split('.')[2]);
}

// $riparian_is_late: whether a grant is within the seconds after its end that are open while no gate answers.
function late(r) {
    const over_s = now_s() - claimed_end_s(r.variables);
    return over_s >= 0 && over_s < settings.media_open_s ? '1' : '';
}

// $riparian_may_ask: whether a grant that has ended is worth a question: somebody says who asks, or all may be open.
function may_ask(r) {
    return r.variables[settings.asker] || late(r) ? '1' : '';
}

// ---- who asks ----

// One spelling an account: %61nn and ann are the same, and what is no name is nobody.
function decoded(value) {
    try {
        const text = decodeURIComponent(value.replace(/\+/g, ' '));
        return text.length > 256 || /[\x00-\x1f\x7f]/.test(text) ? '' : text;
    } catch (e) {
        return '';
    }
}

// Given twice, nobody knows which one the origin would take.
function argument(r, name) {
    const found = (r.variables.args || '').split('&').filter((part) => part.startsWith(name + '='));
    return found.length === 1 ? decoded(found[0].slice(name.length + 1)) : '';
}

function claim_of(token, name) {
    try {
        const value = JSON.parse(Buffer.from((token || '').split('.')[1] || '', 'base64url').toString())[name];
        return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    } catch (e) {
        return '';
    }
}

// A claim is read, not verified: whoever authenticates in front of this server has verified it.
function identity(r, source) {
    if (source.by === 'arg') {
        return argument(r, source.name);
    }
    const bearer = (r.headersIn['Authorization'] || '').match(/^Bearer (.+)$/);
    return bearer ? decoded(encodeURIComponent(claim_of(bearer[1], source.name))) : '';
}

function account(r) {
    return identity(r, settings.account);
}

function device(r) {
    return identity(r, settings.device);
}

// $riparian_granted: whom a grant names, where nothing else does. The grant is verified after this, for this account.
function granted(r) {
    const token = r.variables.arg_g || '';
    if (settings.grants === 'secure_link') {
        return argument(r, 'a');
    }
    return settings.grants === 'jwt' ? claim_of(token, 'sub') : words_of(token.split('.')[4] || '');
}

// ---- the list ----

// $riparian_is_refused: whether the list says so. What has ended is nothing; the pusher takes it away.
function refused(r) {
    const entry = ngx.shared.riparian_verdicts.get('a' + r.variables.riparian_account);
    if (!entry || entry.startsWith('slow ')) {
        return '';
    }
    const until = Number(entry.split(' ')[1]);
    return until && until <= Date.now() / 1000 ? '' : '1';
}

// ---- letting through ----

function count(name) {
    ngx.shared.riparian_counts.incr(name, 1, 0);
}

function gate_is_down() {
    ngx.shared.riparian_counts.set('gate_ms', Date.now());
}

// $riparian_over: what falls to a fixed number of requests a minute has had them.
function over(r) {
    gate_is_down();
    const key = `${Math.floor(now_s() / 60)} ${r.variables.riparian_account}`;
    return ngx.shared.riparian_down.incr(key, 1, 0) > settings.down_per_minute ? '1' : '';
}

// $riparian_let_through: evaluated once, when a request goes to the origin that nobody has decided about.
function let_through(r) {
    gate_is_down();
    const kind = r.variables.riparian_kind;
    count(`let_through ${kind} ${settings.lets[kind]}`);
    return 'degraded';
}

// $riparian_would_refuse: in shadow, once for each request whose grant does not hold.
function would_refuse(r) {
    count(`let_through ${r.variables.riparian_kind} shadow`);
    return 'grant';
}

export default {
    account, device, device_code, grant, granted, late, let_through, may_ask, over, refused, shown, would_refuse,
};
