/* crc.c - see crc.h */
#include "lock/crc.h"

#include <endian.h>
#include <string.h>

#define POLYNOMIAL 0xc96c5795d7870f42u

void
crc_init(struct crc *crc)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t value = i;
		for (int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
		crc->table[0][i] = value;
	}
	/* table[k][b] is what byte b does to the sum k bytes later. */
	for (unsigned i = 0; i < 256; i++)
		for (int k = 1; k < 8; k++) {
			uint64_t value = crc->table[k - 1][i];
			crc->table[k][i] = value >> 8 ^
			    crc->table[0][value & 0xff];
		}
}

uint64_t
crc_add(const struct crc *crc, uint64_t before, struct str bytes)
{
	const unsigned char *at = (const unsigned char *)bytes.data;
	const uint64_t (*t)[256] = crc->table;
	uint64_t sum = ~before;
	size_t left = bytes.len;

	for (; left >= 8; left -= 8, at += 8) {
		uint64_t word;
		memcpy(&word, at, sizeof word);
		sum ^= le64toh(word);
		sum = t[7][sum & 0xff] ^ t[6][sum >> 8 & 0xff] ^
		    t[5][sum >> 16 & 0xff] ^ t[4][sum >> 24 & 0xff] ^
		    t[3][sum >> 32 & 0xff] ^ t[2][sum >> 40 & 0xff] ^
		    t[1][sum >> 48 & 0xff] ^ t[0][sum >> 56];
	}
	for (; left > 0; left--, at++)
		sum = sum >> 8 ^ t[0][(sum ^ *at) & 0xff];
	return ~sum;
}

void
crc_hex(uint64_t value, char out[CRC_HEX + 1])
{
	for (int i = CRC_HEX - 1; i >= 0; i--, value >>= 4)
		out[i] = "0123456789abcdef"[value & 15];
	out[CRC_HEX] = '\0';
}

bool
crc_parse(struct str hex, uint64_t *value)
{
	if (hex.len != CRC_HEX)
		return false;
	*value = 0;
	for (size_t i = 0; i < hex.len; i++) {
		char c = hex.data[i];
		unsigned digit;
		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (unsigned)(c - 'a') + 10;
		else
			return false;
		*value = *value << 4 | digit;
	}
	return true;
}
