/*
 * crc.h - a checksum against accidents: cuts, flipped bits, edits by hand.
 *
 * CRC-64/XZ (ECMA-182, reflected).  It sees every burst of up to 64 bits,
 * every odd number of flipped bits and every cut that matters here, at about
 * a gigabyte a second, which SHA-256 does not reach without special
 * instructions.  It is no defence against somebody who wants to deceive us;
 * whoever can write the lock file could recompute any checksum.
 */
#ifndef LOCK_CRC_H
#define LOCK_CRC_H

#include "base/str.h"

struct crc { uint64_t table[8][256]; };

void crc_init(struct crc *crc);
/* Continue from `before`, 0 to begin with. */
uint64_t crc_add(const struct crc *crc, uint64_t before, struct str bytes);

#define CRC_HEX 16
void crc_hex(uint64_t value, char out[CRC_HEX + 1]);
/* Exactly 16 lower-case digits. */
bool crc_parse(struct str hex, uint64_t *value);

#endif
