// How nginx says no, takes the list of restraints, and tells how it is doing. See riparian.js.

const HEARD_MS = 5000;
const MANY = 100000000;
const REFUSED = /^(hold|end|step_up) /;

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

// ---- the list ----

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

// Only with --list keyval. Whatever cannot be written leaves $riparian_mirrored empty, which is slower and right.
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
    const has_mirror = settings.has_mirror;
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
    if (!same(r.headersIn['Authorization'] || '', 'Bearer ' + settings.push_secret)) {
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
    const entry = v.riparian_is_refused ? ngx.shared.riparian_verdicts.get('a' + v.riparian_account) || '' : '';
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
    const body = {status: said[0], what: settings.what[said[2] === 'grant' ? 'grant' : said[0]] || ''};
    if (settings.explain) {
        body.action = said[1];
        body.because = said[2];
        body.why = settings.why[said[2]] || '';
        if (said[3]) {
            body.until = new Date(Number(said[3]) * 1000).toISOString();
        }
    }
    if (v.riparian_retry) {
        body.retry_after_s = Number(v.riparian_retry);
    }
    if (said[0] === 401 && settings.step_up_url) {
        body.step_up = settings.step_up_url;
    }
    if (settings.appeal_url && said[1] !== 'allow') {
        body.appeal = settings.appeal_url;
    }
    return body;
}

function say(r, said) {
    const v = r.variables;
    v.riparian_action = said[1] || '';
    v.riparian_because = said[2] || '';
    v.riparian_until = said[3] || '';
    if (said[0] === 401) {
        r.headersOut['WWW-Authenticate'] = settings.step_up_url ? `StepUp url="${settings.step_up_url}"` : 'StepUp';
    }
    count(`refused ${v.riparian_kind || 'none'} ${said[1] || 'none'} ${said[2] || 'none'}`);
    r.headersOut['Cache-Control'] = 'no-store';
    told(r, said[0], letter(r, said));
}

function refuse(r) {
    say(r, reason(r.variables));
}

// ---- renewing ----

// When a grant ends, and what it opens; of one that was verified here, or came from the gate.
function read_grant(token) {
    const parts = token.split('.');
    if (parts.length === 7) {
        return {end_s: Number(parts[2]), path: Buffer.from(parts[5], 'base64url').toString()};
    }
    const claims = JSON.parse(Buffer.from(parts[1] || '', 'base64url').toString());
    return {end_s: claims.exp, path: claims.rp};
}

// The gate agrees: to the same address with the fresh grant, which stands in a cookie, too, for what is asked next.
function renew(r) {
    const v = r.variables;
    const token = v.riparian_issued || '';
    if (token === '' || !v[settings.asker] || settings.grants === 'secure_link') {
        return refuse(r);
    }
    const fresh = read_grant(token);
    // The clock here is ahead: whoever were sent on now would be sent in a circle.
    if (fresh.end_s - read_grant(v.arg_g).end_s < settings.grant_s) {
        return r.internalRedirect('@riparian_agreed');
    }
    const kept = (v.args || '').split('&').filter((part) => part !== '' && !/^g=/i.test(part));
    const query = kept.map((part) => part.replace(/[^!$%-;=?-[\]_a-z~]/g, encodeURIComponent)).concat(`g=${token}`);
    const only_tls = v.scheme === 'https' ? '; Secure' : '';
    v.riparian_because = 'grant';  // so a scan of the log knows that nothing was had with this one
    r.headersOut['Set-Cookie'] = [
        `riparian=${token}; Path=${fresh.path}; Max-Age=${settings.grant_s}; HttpOnly; SameSite=Lax${only_tls}`,
    ];
    r.headersOut['Cache-Control'] = 'no-store';
    r.return(307, `${v.riparian_path}?${query.join('&')}`);
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

export default {closed, metrics, push, refuse, renew};
