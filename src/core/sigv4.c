/*
 * sigv4.c
 *	  AWS Signature Version 4: canonical request, string to sign, signing key,
 *	  signature.  The only user of OpenSSL.
 */
#include "core/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/ascii.h"
#include "core/wipe.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define HASH_LEN 32
#define MAX_SECRET 1024

bool
dyn_sigv4_date(int64_t epoch_seconds, char out[DYN_AMZ_DATE_LEN])
{
	time_t		t = (time_t) epoch_seconds;
	struct tm	tm;

	return gmtime_r(&t, &tm) != NULL && strftime(out, DYN_AMZ_DATE_LEN, "%Y%m%dT%H%M%SZ", &tm) == DYN_AMZ_DATE_LEN - 1;
}

/* Looked up once: OpenSSL searches its providers for EVP_sha256() at every use, which takes longer than hashing. */
static const EVP_MD *
sha256_method(void)
{
	static EVP_MD *md;

	if (md == NULL)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	return md ? md : EVP_sha256();
}

static bool
sha256(const void *data, size_t len, uint8_t out[HASH_LEN])
{
	return EVP_Digest(data, len, out, NULL, sha256_method(), NULL) == 1;
}

static bool
hmac(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[HASH_LEN])
{
	return HMAC(sha256_method(), key, (int) key_len, data, len, out, NULL) != NULL;
}

static bool
hmac_str(const uint8_t key[HASH_LEN], const char *text, uint8_t out[HASH_LEN])
{
	return hmac(key, HASH_LEN, text, strlen(text), out);
}

/* The signing key of a day depends on nothing of the request: cached. */
static bool
signing_key(DynSigv4Signer *signer, const char *amz_date)
{
	char		secret[MAX_SECRET + 5];
	uint8_t		a[HASH_LEN];
	uint8_t		b[HASH_LEN];
	int			n;
	bool		ok;

	if (signer->date[0] != '\0' && memcmp(signer->date, amz_date, 8) == 0)
		return true;
	n = snprintf(secret, sizeof(secret), "AWS4%s", signer->secret_access_key);
	if (n < 0 || n >= (int) sizeof(secret))
		return false;
	signer->date[0] = '\0';
	ok = hmac(secret, n, amz_date, 8, a) &&
		hmac_str(a, signer->region, b) &&
		hmac_str(b, signer->service, a) &&
		hmac_str(a, "aws4_request", signer->key);
	dyn_wipe(secret, sizeof(secret));
	dyn_wipe(a, sizeof(a));
	dyn_wipe(b, sizeof(b));
	if (ok)
	{
		memcpy(signer->date, amz_date, 8);
		signer->date[8] = '\0';
	}
	return ok;
}

/* Header order: by lower-case name; equal names keep their order. */
static void
sort_headers(const DynSigv4Header **sorted, int n)
{
	for (int i = 1; i < n; i++)
	{
		const DynSigv4Header *header = sorted[i];
		int			j = i;

		for (; j > 0 && dyn_ascii_compare(sorted[j - 1]->name, header->name) > 0; j--)
			sorted[j] = sorted[j - 1];
		sorted[j] = header;
	}
}

static void
add_lower(DynBuf *out, const char *name)
{
	for (; *name; name++)
		dyn_buf_byte(out, dyn_ascii_lower(*name));
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Trimmed, inner runs of white space as one space. */
static void
add_trimmed(DynBuf *out, const char *value)
{
	bool		gap = false;

	while (is_space(*value))
		value++;
	for (; *value; value++)
	{
		if (is_space(*value))
		{
			gap = true;
			continue;
		}
		if (gap)
			dyn_buf_byte(out, ' ');
		gap = false;
		dyn_buf_byte(out, *value);
	}
}

/* Both lists of the canonical request: `name:value` lines, and names joined by ';'. */
static void
add_signed_headers(const DynSigv4Header **sorted, int n, DynBuf *lines, DynBuf *names)
{
	for (int i = 0; i < n; i++)
	{
		bool		again = i > 0 && dyn_ascii_compare(sorted[i - 1]->name, sorted[i]->name) == 0;

		if (again)
			dyn_buf_byte(lines, ',');
		else
		{
			if (i > 0)
			{
				dyn_buf_byte(lines, '\n');
				dyn_buf_byte(names, ';');
			}
			add_lower(lines, sorted[i]->name);
			dyn_buf_byte(lines, ':');
			add_lower(names, sorted[i]->name);
		}
		add_trimmed(lines, sorted[i]->value);
	}
	dyn_buf_byte(lines, '\n');
}

static const char *
path_of(const DynSigv4Request *request)
{
	return request->path ? request->path : "/";
}

/* As much as the canonical request can have at most: a buffer that grows would leave the session token behind. */
static size_t
canonical_size(const DynSigv4Request *request)
{
	size_t		size = strlen(request->method) + strlen(path_of(request)) + 2 * HASH_LEN + 10;

	/* a name stands there twice, with a byte behind it, and the value once */
	for (int i = 0; i < request->nheaders; i++)
		size += 2 * strlen(request->headers[i].name) + strlen(request->headers[i].value) + 4;
	return size;
}

/* The first text of a signature.  `names` gets those of the signed headers, which the Authorization header repeats. */
static bool
add_canonical_request(const DynSigv4Request *request, DynBuf *out, DynBuf *names)
{
	const DynSigv4Header *sorted[DYN_SIGV4_MAX_HEADERS];
	uint8_t		hash[HASH_LEN];

	if (request->nheaders > DYN_SIGV4_MAX_HEADERS || !sha256(request->payload, request->payload_len, hash))
		return false;
	for (int i = 0; i < request->nheaders; i++)
		sorted[i] = &request->headers[i];
	sort_headers(sorted, request->nheaders);

	dyn_buf_reserve(out, canonical_size(request));
	dyn_buf_str(out, request->method);
	dyn_buf_byte(out, '\n');
	dyn_buf_str(out, path_of(request));
	dyn_buf_str(out, "\n\n");	/* the query is empty */
	add_signed_headers(sorted, request->nheaders, out, names);
	dyn_buf_byte(out, '\n');
	dyn_buf_add(out, names->data, names->len);
	dyn_buf_byte(out, '\n');
	dyn_buf_hex(out, hash, sizeof(hash));
	return !out->failed && !names->failed;
}

/* What a signing key is good for: day/region/service/aws4_request. */
static void
add_scope(const DynSigv4Signer *signer, const char *amz_date, DynBuf *out)
{
	dyn_buf_add(out, amz_date, 8);
	dyn_buf_byte(out, '/');
	dyn_buf_str(out, signer->region);
	dyn_buf_byte(out, '/');
	dyn_buf_str(out, signer->service);
	dyn_buf_str(out, "/aws4_request");
}

/* The second text, which is signed: it holds a hash of the first. */
static bool
add_string_to_sign(const DynSigv4Signer *signer, const char *amz_date, const DynBuf *canonical, DynBuf *out)
{
	uint8_t		hash[HASH_LEN];

	if (!sha256(canonical->data, canonical->len, hash))
		return false;
	dyn_buf_str(out, ALGORITHM "\n");
	dyn_buf_str(out, amz_date);
	dyn_buf_byte(out, '\n');
	add_scope(signer, amz_date, out);
	dyn_buf_byte(out, '\n');
	dyn_buf_hex(out, hash, sizeof(hash));
	return !out->failed;
}

bool
dyn_sigv4_sign(DynSigv4Signer *signer, const DynSigv4Request *request, DynBuf *authorization,
			   DynBuf *canonical, DynBuf *to_sign)
{
	DynBuf		text = {0};
	DynBuf		names = {0};
	DynBuf		sts = {0};
	uint8_t		signature[HASH_LEN];
	bool		ok;

	ok = strlen(request->amz_date) == DYN_AMZ_DATE_LEN - 1 &&
		signing_key(signer, request->amz_date) &&
		add_canonical_request(request, &text, &names) &&
		add_string_to_sign(signer, request->amz_date, &text, &sts) &&
		hmac(signer->key, HASH_LEN, sts.data, sts.len, signature);
	if (ok)
	{
		dyn_buf_str(authorization, ALGORITHM " Credential=");
		dyn_buf_str(authorization, signer->access_key_id);
		dyn_buf_byte(authorization, '/');
		add_scope(signer, request->amz_date, authorization);
		dyn_buf_str(authorization, ", SignedHeaders=");
		dyn_buf_add(authorization, names.data, names.len);
		dyn_buf_str(authorization, ", Signature=");
		dyn_buf_hex(authorization, signature, sizeof(signature));
		if (canonical)
			dyn_buf_add(canonical, text.data, text.len);
		if (to_sign)
			dyn_buf_add(to_sign, sts.data, sts.len);
		ok = !authorization->failed;
	}
	dyn_wipe(text.data, text.len);	/* holds the session token */
	dyn_buf_free(&text);
	dyn_buf_free(&names);
	dyn_buf_free(&sts);
	return ok;
}

const char *
dyn_openssl_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
