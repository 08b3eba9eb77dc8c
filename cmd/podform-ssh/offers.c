/*
 * offers.c - lists of algorithms, ours and theirs.
 */
#include "cmd/podform-ssh/offers.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* In the order of RFC 4253, 7.1, as far as we care. */
static const struct list {
	int method;
	const char *words;	/* for people */
	const char *names;	/* best first */
} lists[] = {
	{ LIBSSH2_METHOD_KEX, "as key exchange",
	  "curve25519-sha256,curve25519-sha256@libssh.org,"
	  "ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
	  "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
	  "diffie-hellman-group14-sha256" },
	{ LIBSSH2_METHOD_HOSTKEY, "as host key",
	  "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
	  "ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256" },
	{ LIBSSH2_METHOD_CRYPT_CS, "as cipher",
	  "aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,"
	  "aes192-ctr,aes256-ctr,chacha20-poly1305@openssh.com" },
	{ LIBSSH2_METHOD_CRYPT_SC, "as cipher", NULL },
	{ LIBSSH2_METHOD_MAC_CS, "as MAC",
	  "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
	  "hmac-sha2-256,hmac-sha2-512" },
	{ LIBSSH2_METHOD_MAC_SC, "as MAC", NULL },
};
enum { NLISTS = sizeof lists / sizeof lists[0], SPOKEN_MAX = 512 };

static const char *
names_of(size_t i)
{
	return lists[i].names != NULL ? lists[i].names : lists[i - 1].names;
}

/* Is this name, of a length, in a list with commas? */
static bool
listed(const char *list, size_t list_size, const char *name, size_t size)
{
	size_t at = 0;

	while (at < list_size) {
		const char *comma = memchr(list + at, ',', list_size - at);
		size_t here = comma != NULL ? (size_t)(comma - list) - at :
		    list_size - at;

		if (here == size && memcmp(list + at, name, size) == 0)
			return true;
		at += here + 1;
	}
	return false;
}

/* Does the library have this one, of a length? */
static bool
supported(const char *const *names, int n, const char *name, size_t size)
{
	for (int i = 0; i < n; i++)
		if (strlen(names[i]) == size &&
		    memcmp(names[i], name, size) == 0)
			return true;
	return false;
}

/* Ours of one kind that the library has, best first; into text. */
static void
spoken(LIBSSH2_SESSION *session, size_t i, char *text, size_t size)
{
	const char **names = NULL, *ours = names_of(i);
	size_t at = 0, end;
	int n = libssh2_session_supported_algs(session, lists[i].method,
	    &names);

	text[0] = '\0';
	for (; *ours != '\0'; ours += end + (ours[end] == ',')) {
		end = strcspn(ours, ",");
		if (!supported(names, n, ours, end) || at + end + 2 > size)
			continue;
		if (at > 0)
			text[at++] = ',';
		memcpy(text + at, ours, end);
		at += end;
		text[at] = '\0';
	}
	if (n > 0)
		libssh2_free(session, names);
}

/*
 * The library would leave out names that it does not know, but 1.10 moves
 * the rest over them by memcpy(), which may spoil the list: so it is told
 * those alone that it has.
 */
bool
offers_prefer(LIBSSH2_SESSION *session)
{
	char names[SPOKEN_MAX];

	for (size_t i = 0; i < NLISTS; i++) {
		spoken(session, i, names, sizeof names);
		if (libssh2_session_method_pref(session, lists[i].method,
		    names) != 0)
			return false;
	}
	return true;
}

/* Do two lists share a name? */
static bool
meet(const char *theirs, size_t theirs_size, const char *ours)
{
	size_t at = 0, size = strlen(ours);

	while (at < size) {
		const char *comma = memchr(ours + at, ',', size - at);
		size_t here = comma != NULL ? (size_t)(comma - ours) - at :
		    size - at;

		if (listed(theirs, theirs_size, ours + at, here))
			return true;
		at += here + 1;
	}
	return false;
}

/* A name-list of theirs at *at; false if the packet ends before it does. */
static bool
next_list(const unsigned char *offer, size_t size, size_t *at,
    const char **list, size_t *list_size)
{
	uint32_t length;

	if (size - *at < 4)
		return false;
	length = (uint32_t)offer[*at] << 24 | (uint32_t)offer[*at + 1] << 16 |
	    (uint32_t)offer[*at + 2] << 8 | offer[*at + 3];
	if (length > size - *at - 4)
		return false;
	*list = (const char *)offer + *at + 4;
	*list_size = length;
	*at += 4 + length;
	return true;
}

/* What was sent is shown as far as it is made of harmless characters. */
static void
say_theirs(char *text, size_t size, const char *list, size_t list_size)
{
	size_t at = 0;

	for (size_t i = 0; i < list_size && at + 4 < size && i < 300; i++) {
		unsigned char byte = (unsigned char)list[i];

		if (byte == ',')
			text[at++] = ',', text[at++] = ' ';
		else
			text[at++] = byte > ' ' && byte < 0x7f ? (char)byte :
			    '?';
	}
	text[at] = '\0';
}

bool
offers_explain(LIBSSH2_SESSION *session, const unsigned char *offer,
    size_t offer_size, char *text, size_t size)
{
	enum { MSG_KEXINIT = 20, LISTS_AT = 4 + 1 + 1 + 16 };
	size_t at = LISTS_AT;

	if (offer == NULL || offer_size < LISTS_AT || offer[5] != MSG_KEXINIT)
		return false;
	for (size_t i = 0; i < NLISTS; i++) {
		char ours[SPOKEN_MAX], shown[400];
		const char *list;
		size_t list_size;

		if (!next_list(offer, offer_size, &at, &list, &list_size))
			return false;
		spoken(session, i, ours, sizeof ours);
		if (meet(list, list_size, ours))
			continue;
		say_theirs(shown, sizeof shown, list, list_size);
		snprintf(text, size,
		    "the server offers only %s %s; podform speaks %s",
		    shown[0] != '\0' ? shown : "nothing", lists[i].words,
		    ours);
		return true;
	}
	return false;
}
