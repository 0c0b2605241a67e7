// What nginx asks of Riparian's edge while it answers: is a grant good, is an account restrained, and how is no said?
//
// nginx.conf decides when each function is called; `riparian` is riparian.json, read once when nginx starts.
//
//   shared dictionary      what it holds
//   riparian_verdicts      "a" + account: "hold 1795000000 evidence"; ":at": epoch, seq and count of the list
//   riparian_counts        counters of the metrics page, and the last time that the gate and the pusher were heard of
//   riparian_down          requests of an account in a minute, while the gate is out of reach
//
// The list is the truth. With --verdicts keyval, $riparian_listed says at C speed that an account is NOT on it; an
// account that may be is looked up here. An entry too many there costs microseconds, so none is ever taken for granted:
// until all are there ($riparian_mirrored), everybody is looked up here.
import crypto from 'crypto';

const HEARD_MS = 5000;
const MANY = 100000000;
const REFUSED = /^(hold|end|step_up) /;

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
    const keys = riparian.keys;
    for (let i = 0; i < keys.length; i++) {
        if (keys[i].kid === kid) {
            return keys[i];
        }
    }
    return null;
}

function by_now(until_s) {
    const now = now_s();
    if (now < until_s) {
        return 'ok';
    }
    return now < until_s + riparian.media_open_s ? 'late' : 'ended';
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

// $riparian_grant of --grants hmac: ok; late, in the seconds after its end; else what is wrong with it.
function grant(r) {
    const v = r.variables;
    const parts = (v.arg_g || '').split('.');
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
    return covers(path, v.riparian_path) ? by_now(Number(parts[2])) : 'other path';
}

// $riparian_device_code: how a JWT names the device that it is bound to.
function device_code(r) {
    const device = r.variables.riparian_device;
    const digest = device ? crypto.createHash('sha256').update(device).digest('hex') : '';
    return device ? Buffer.from(digest.slice(0, 24), 'hex').toString('base64url') : '';
}

// $riparian_late: whether a link that `secure_link` found good but ended is within the seconds after its end.
function late(r) {
    return by_now(Number(r.variables.arg_e)) === 'late' ? '1' : '';
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
    return identity(r, riparian.account);
}

function device(r) {
    return identity(r, riparian.device);
}

// $riparian_granted: whom a grant names, where nothing else does. The grant is verified after this, for this account.
function granted(r) {
    const token = r.variables.arg_g || '';
    if (riparian.grants === 'secure_link') {
        return argument(r, 'a');
    }
    return riparian.grants === 'jwt' ? claim_of(token, 'sub') : words_of(token.split('.')[4] || '');
}

// ---- the list ----

// $riparian_restraint: "hold 1795000000 evidence", or nothing. What has ended is nothing; the pusher takes it away.
function restraint(r) {
    const entry = ngx.shared.riparian_verdicts.get('a' + r.variables.riparian_account);
    if (!entry) {
        return '';
    }
    const until = Number(entry.split(' ')[1]);
    return until && until <= Date.now() / 1000 ? '' : entry;
}

function standing() {
    const at = (ngx.shared.riparian_verdicts.get(':at') || ' 0 0').split(' ');
    return {epoch: at[0], seq: Number(at[1]), count: Number(at[2])};
}

const LINE = /^(?:allow|slow|step_up|hold|end)\t\d{1,12}\t[a-z_]{1,32}$/;

const ENTRIES = 1000;

// Gives accounts and entries by turns; null when any line is none. An entry is '' for whoever is let go.
function read(text) {
    const found = [];
    // Thousands are restrained until the same hour for the same reason: what they share is looked at once.
    const seen = Object.create(null);
    let distinct = 0;
    let from = 0;
    while (from < text.length) {
        const tab = text.indexOf('\t', from);
        const end = text.indexOf('\n', from);
        if (tab <= from || end < tab) {
            return null;
        }
        const account = text.slice(from, tab);
        const said = text.slice(tab + 1, end);
        let entry = seen[said];
        if (entry === undefined) {
            if (!LINE.test(said)) {
                return null;
            }
            entry = said.startsWith('allow') ? '' : said.replace('\t', ' ').replace('\t', ' ');
            if (distinct++ < ENTRIES) {
                seen[said] = entry;
            }
        }
        try {
            found.push(account.indexOf('%') < 0 ? account : decodeURIComponent(account));
        } catch (e) {
            return null;
        }
        found.push(entry);
        from = end + 1;
    }
    return found;
}

// Only with --verdicts keyval. Whatever cannot be written leaves $riparian_mirrored empty, which is slower and right.
function mirror(r, accounts, step) {
    const v = r.variables;
    for (let i = 0; i < accounts.length; i += step) {
        v.riparian_entry = accounts[i];
        v.riparian_listing = '1';
        if (v.riparian_listing !== '1') {
            r.error(`riparian: the keyval zone holds no more than ${i} accounts, make it larger`);
            v.riparian_mirrored = '';
            return;
        }
    }
}

function mirror_all(r) {
    const keys = ngx.shared.riparian_verdicts.keys(MANY).filter((key) => key[0] === 'a').map((key) => key.slice(1));
    r.variables.riparian_mirrored = '1';
    mirror(r, keys, 1);
}

function drop_others(kept) {
    const dict = ngx.shared.riparian_verdicts;
    const wanted = Object.create(null);
    for (let i = 0; i < kept.length; i += 2) {
        wanted['a' + kept[i]] = kept[i + 1];
    }
    dict.keys(MANY).forEach((key) => {
        if (!wanted[key]) {
            dict.delete(key);
        }
    });
}

function apply(lines, at, is_full) {
    const dict = ngx.shared.riparian_verdicts;
    let count = is_full ? 0 : standing().count;
    // Whoever dies between here and the last line stands nowhere, and is sent everything.
    dict.delete(':at');
    for (let i = 0; i < lines.length; i += 2) {
        const key = 'a' + lines[i];
        if (lines[i + 1] === '') {
            count -= dict.delete(key) ? 1 : 0;
        } else {
            count += is_full || dict.has(key) ? 0 : 1;
            dict.set(key, lines[i + 1]);
        }
    }
    if (is_full) {
        count = dict.size();
        if (count !== lines.length / 2) {
            drop_others(lines);
            count = dict.size();
        }
    }
    dict.set(':at', `${at.epoch} ${at.seq} ${count}`);
}

function heard() {
    ngx.shared.riparian_counts.set('push_ms', Date.now());
}

function told(r, status, body) {
    r.headersOut['Content-Type'] = 'application/json';
    r.return(status, JSON.stringify(body));
}

function changed(r) {
    const h = r.headersIn;
    const epoch = h['X-Riparian-Epoch'] || '';
    const from = h['X-Riparian-From'] || '';
    const to = h['X-Riparian-To'] || '';
    const full = h['X-Riparian-Full'] || '0';
    if (!/^[\w-]{1,64}$/.test(epoch) || !/^\d{1,15}$/.test(from) || !/^\d{1,15}$/.test(to) || !/^[01]$/.test(full)) {
        return told(r, 400, {error: 'wanted X-Riparian-Epoch, -From, -To and -Full'});
    }
    const at = standing();
    if (full === '0' && (epoch !== at.epoch || Number(from) !== at.seq)) {
        return told(r, 409, at);
    }
    const lines = read(r.requestText || '');
    if (lines === null) {
        return told(r, 400, {error: 'wanted lines of account, restraint, until and rule between tabs'});
    }
    const has_mirror = riparian.has_mirror;
    const was_mirrored = has_mirror && r.variables.riparian_mirrored === '1';
    if (full === '1' || lines.length || from !== to) {
        if (full === '1' && has_mirror) {
            r.variables.riparian_mirrored = '';
        }
        try {
            apply(lines, {epoch: epoch, seq: Number(to)}, full === '1');
        } catch (e) {
            r.error(`riparian: the list of restraints has no room for ${lines.length / 2} more, make its zone larger`);
            return told(r, 507, {error: 'the zone of the list is full'});
        }
    }
    if (was_mirrored && full === '0') {
        mirror(r, lines, 2);
    } else if (has_mirror && full === '0') {
        mirror_all(r);
    }
    heard();
    return told(r, 200, standing());
}

// The push protocol; see docs/how/nginx.md.
function push(r) {
    if (!same(r.headersIn['Authorization'] || '', 'Bearer ' + riparian.push_secret)) {
        return told(r, 401, {error: 'wanted the push secret'});
    }
    if (r.method === 'GET') {
        return told(r, 200, standing());
    }
    return r.method === 'POST' ? changed(r) : told(r, 405, {error: 'wanted GET or POST'});
}

// ---- saying no, and letting through ----

function count(name) {
    ngx.shared.riparian_counts.incr(name, 1, 0);
}

// What became of the request: [status, action, because, until].
function reason(v) {
    const entry = v.riparian_restraint || '';
    if (REFUSED.test(entry)) {
        const said = entry.split(' ');
        return [said[0] === 'step_up' ? 401 : 403, said[0], said[2], said[1] === '0' ? '' : said[1]];
    }
    if (v.riparian_fault === 'over') {
        v.riparian_retry = '60';
        return [429, 'allow', 'degraded', ''];
    }
    if (v.limit_req_status === 'REJECTED') {
        v.riparian_retry = '1';
        return [429, 'allow', 'limit', ''];
    }
    const status = Number(v.riparian_status || 0);
    if (status >= 400) {
        return [status, v.riparian_action, v.riparian_because, v.riparian_until];
    }
    return [403, 'allow', 'grant', ''];
}

function letter(r, said) {
    const v = r.variables;
    const body = {status: said[0], what: riparian.what[said[0]] || ''};
    if (riparian.explain) {
        body.action = said[1];
        body.because = said[2];
        body.why = riparian.why[said[2]] || '';
        if (said[3]) {
            body.until = new Date(Number(said[3]) * 1000).toISOString();
        }
    }
    if (v.riparian_retry) {
        body.retry_after_s = Number(v.riparian_retry);
    }
    if (said[0] === 401 && riparian.step_up_url) {
        body.step_up = riparian.step_up_url;
    }
    if (riparian.appeal_url && said[1] !== 'allow') {
        body.appeal = riparian.appeal_url;
    }
    return body;
}

function say(r, said) {
    const v = r.variables;
    v.riparian_action = said[1] || '';
    v.riparian_because = said[2] || '';
    v.riparian_until = said[3] || '';
    if (said[0] === 401) {
        r.headersOut['WWW-Authenticate'] = riparian.step_up_url ? `StepUp url="${riparian.step_up_url}"` : 'StepUp';
    }
    count(`refused ${v.riparian_kind || 'none'} ${said[1] || 'none'} ${said[2] || 'none'}`);
    r.headersOut['Cache-Control'] = 'no-store';
    told(r, said[0], letter(r, said));
}

function refuse(r) {
    say(r, reason(r.variables));
}

function gate_is_down() {
    ngx.shared.riparian_counts.set('gate_ms', Date.now());
}

// What closes while the gate is out of reach.
function closed(r) {
    gate_is_down();
    r.variables.riparian_retry = '2';
    say(r, [503, 'allow', 'degraded', '']);
}

// $riparian_over: what falls to a fixed number of requests a minute has had them.
function over(r) {
    gate_is_down();
    const key = `${Math.floor(now_s() / 60)} ${r.variables.riparian_account}`;
    return ngx.shared.riparian_down.incr(key, 1, 0) > riparian.down_per_minute ? '1' : '';
}

// $riparian_let_through: evaluated once, when a request goes to the origin that nobody has decided about.
function let_through(r) {
    gate_is_down();
    const kind = r.variables.riparian_kind;
    count(`let_through ${kind} ${riparian.lets[kind]}`);
    return 'degraded';
}

// $riparian_would_refuse: in shadow, once for each request whose grant does not hold.
function would_refuse(r) {
    count(`let_through ${r.variables.riparian_kind} shadow`);
    return 'grant';
}

// ---- metrics ----

function since_s(name) {
    const ms = ngx.shared.riparian_counts.get(name);
    return ms === undefined ? Infinity : (Date.now() - ms) / 1000;
}

function metrics(r) {
    const age = since_s('push_ms');
    const lines = [
        '# TYPE riparian_verdicts gauge',
        `riparian_verdicts ${standing().count}`,
        '# TYPE riparian_push_age_seconds gauge',
        `riparian_push_age_seconds ${age === Infinity ? '+Inf' : age.toFixed(3)}`,
        '# TYPE riparian_gate_degraded gauge',
        `riparian_gate_degraded{why="push"} ${age * 1000 > HEARD_MS ? 1 : 0}`,
        `riparian_gate_degraded{why="gate"} ${since_s('gate_ms') * 1000 > HEARD_MS ? 0 : 1}`,
        '# TYPE riparian_let_through_total counter',
        '# TYPE riparian_refused_total counter',
    ];
    ngx.shared.riparian_counts.items(MANY).forEach((item) => {
        const said = item[0].split(' ');
        if (said[0] === 'let_through') {
            lines.push(`riparian_let_through_total{kind="${said[1]}",why="${said[2]}"} ${item[1]}`);
        } else if (said[0] === 'refused') {
            lines.push(`riparian_refused_total{kind="${said[1]}",action="${said[2]}",rule="${said[3]}"} ${item[1]}`);
        }
    });
    r.headersOut['Content-Type'] = 'text/plain; version=0.0.4';
    r.return(200, lines.join('\n') + '\n');
}

export default {
    account, closed, device, device_code, grant, granted, late, let_through, metrics, over, push, refuse, restraint,
    would_refuse
};
