// Package identity says who is crawling in a way that a site can check: Web Bot
// Auth, which is HTTP message signatures (RFC 9421) with Ed25519 keys that the
// crawler's operator publishes.
//
// # What it promises
//
// A [Signer] gives every attempt of a request its own signature, made right
// before it is sent, over the authority it is sent to and over the field
// Signature-Agent, which names the https origin where the keys are published.
// It lives for a minute unless told otherwise, has a fresh nonce and the tag
// "web-bot-auth". Fields of an earlier signature are removed first. A request
// is signed on https only, unless told otherwise; on other schemes it goes out
// without a signature.
//
// A [Key] is an Ed25519 key in a file that only its owner may read; no format
// verb prints it. [Directory] is the document to publish, [DirectoryHeader] the
// fields that prove that it belongs to its origin.
//
// [Verify] is the other side, for whoever is visited. What it reads is bounded,
// and what it cannot make sense of is [ErrInvalid], never a panic and never
// taken for valid.
//
// # What it follows
//
//   - RFC 9421 for signatures: the derived components @method, @authority,
//     @scheme, @target-uri, @path, @query and @status, fields, and the component
//     parameters key, bs and req.
//   - RFC 9651 for structured fields, without display strings.
//   - RFC 7638 and RFC 8037 for key identifiers, RFC 9530 for Content-Digest.
//   - draft-ietf-webbotauth-httpsig-protocol-01 for Web Bot Auth and the
//     directory, which continues draft-meunier-web-bot-auth-architecture and
//     draft-meunier-http-message-signatures-directory. They changed the form of
//     Signature-Agent from a string to a dictionary; see [Form].
//
// # What it refuses
//
// Algorithms other than ed25519, shared secrets, keys published by standards as
// examples, and components it does not know. It fetches nothing: finding the
// key of a signature is left to [VerifyOptions].Keys. It remembers no nonces,
// so a signature can be replayed until it expires.
package identity
