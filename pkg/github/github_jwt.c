/* github_jwt.c - see github_jwt.h */
#include "github/github_jwt.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/units.h"

enum { EARLIER_S = 60, LIFE_S = 540 };

bool
github_jwt_make(struct arena *arena, const struct crypto_key *key,
    struct str issuer, int64_t wall_ms, struct str *jwt, const char **why)
{
	int64_t now_s = wall_ms / SECOND_MS;
	struct strbuf claims = {0}, text = {0};
	struct json_writer w = { .out = &claims };
	struct str signature;
	bool ok = false;

	if (crypto_key_kind(key) != CRYPTO_RSA) {
		*why = "the key of a GitHub App is an RSA key";
		return false;
	}
	json_begin(&w, '{');
	json_member_int(&w, "iat", now_s - EARLIER_S);
	json_member_int(&w, "exp", now_s + LIFE_S);
	json_member_str(&w, "iss", issuer);
	json_end(&w, '}');
	base64_encode(&text, STR("{\"alg\":\"RS256\",\"typ\":\"JWT\"}"),
	    BASE64_URL);
	strbuf_addc(&text, '.');
	base64_encode(&text, strbuf_str(&claims), BASE64_URL);
	if (crypto_sign(key, strbuf_str(&text), arena, &signature, why)) {
		strbuf_addc(&text, '.');
		base64_encode(&text, signature, BASE64_URL);
		*jwt = arena_str(arena, strbuf_str(&text));
		ok = true;
	}
	strbuf_release(&claims);
	strbuf_release(&text);
	return ok;
}
