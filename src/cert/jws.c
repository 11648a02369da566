#include "cert/jws.h"

#include "cert/jdoc.h"

enum { MAC_KEY_MAX = 1024, JWK_MAX = 512 };

/* Appends header "." payload, both in base64url: what is signed (RFC 7515 5.1). */
static int signing_input(struct str header, struct str payload, struct buf *out, struct err *e)
{
    if (base64url_append(out, header) != 0 || buf_putc(out, '.') != 0 ||
        base64url_append(out, payload) != 0)
        return err_set(e, ERR_LIMIT, "JWS longer than %zu bytes", out->max);
    return 0;
}

static int flattened(const struct buf *input, struct str signature, struct buf *out, struct err *e)
{
    struct str payload = buf_str(input);
    struct str header = str_cut(&payload, '.');

    if (buf_puts(out, "{\"protected\":\"") != 0 || buf_append_str(out, header) != 0 ||
        buf_puts(out, "\",\"payload\":\"") != 0 || buf_append_str(out, payload) != 0 ||
        buf_puts(out, "\",\"signature\":\"") != 0 || base64url_append(out, signature) != 0 ||
        buf_puts(out, "\"}") != 0)
        return err_set(e, ERR_LIMIT, "JWS longer than %zu bytes", out->max);
    return 0;
}

/* Appends the protected header of RFC 8555 6.2; either kid or jwk is given, nonce may be NULL. */
static int write_header(const char *alg, const char *kid, struct str jwk, const char *nonce,
                        const char *url, struct buf *out, struct err *e)
{
    struct json_object *header = json_object_new_object();

    jdoc_add_str(header, "alg", str_of(alg));
    if (kid != NULL)
        jdoc_add_str(header, "kid", str_of(kid));
    else
        json_object_object_add(header, "jwk", jdoc_parse(jwk, e));
    if (nonce != NULL)
        jdoc_add_str(header, "nonce", str_of(nonce));
    jdoc_add_str(header, "url", str_of(url));
    return jdoc_write(header, out, e);
}

int jws_sign(const struct jws *in, struct buf *out, struct err *e)
{
    struct buf jwk = BUF_INIT(JWK_MAX), header = BUF_INIT(JWS_MAX), input = BUF_INIT(JWS_MAX);
    uint8_t signature[ES256_LEN];
    int rc = -1;

    if (in->kid == NULL && key_jwk(in->key, &jwk, e) != 0)
        goto out;
    if (write_header("ES256", in->kid, buf_str(&jwk), in->nonce, in->url, &header, e) != 0 ||
        signing_input(buf_str(&header), in->payload, &input, e) != 0)
        goto out;
    if (key_sign_es256(in->key, buf_str(&input), signature, e) == 0)
        rc = flattened(&input, (struct str){(char *)signature, sizeof signature}, out, e);
out:
    buf_fini(&jwk);
    buf_fini(&header);
    buf_fini(&input);
    return rc;
}

/* mac_key with or without padding: RFC 8555 7.3.4 wants none, some CAs add it. */
static int read_mac_key(const char *mac_key, uint8_t out[MAC_KEY_MAX], size_t *len, struct err *e)
{
    struct str text = str_of(mac_key);

    while (str_ends(text, STR_LIT("=")))
        text.len--;
    if (!base64url_decode(text, out, MAC_KEY_MAX, len) || *len == 0)
        return err_set(e, ERR_SYNTAX,
                       "the MAC key of the external account binding is not base64url");
    return 0;
}

int jws_bind(const struct key *key, const char *key_id, const char *mac_key, const char *url,
             struct buf *out, struct err *e)
{
    struct buf jwk = BUF_INIT(JWK_MAX), header = BUF_INIT(JWS_MAX), input = BUF_INIT(JWS_MAX);
    uint8_t secret[MAC_KEY_MAX], mac[SHA256_LEN];
    size_t len;
    int rc = -1;

    if (read_mac_key(mac_key, secret, &len, e) != 0 || key_jwk(key, &jwk, e) != 0 ||
        write_header("HS256", key_id, (struct str){NULL, 0}, NULL, url, &header, e) != 0 ||
        signing_input(buf_str(&header), buf_str(&jwk), &input, e) != 0)
        goto out;
    hmac_sha256((struct str){(char *)secret, len}, buf_str(&input), mac);
    rc = flattened(&input, (struct str){(char *)mac, sizeof mac}, out, e);
out:
    explicit_bzero(secret, sizeof secret);
    buf_fini(&jwk);
    buf_fini(&header);
    buf_fini(&input);
    return rc;
}
