package identity

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What a signed request looks like, written from RFC 9421 and the drafts and not
// from the code that signs.
var (
	inputShape = regexp.MustCompile(`^([a-z][a-z0-9]*)=(\(("[^()]*)\);created=(\d+);keyid="([A-Za-z0-9_-]{43})";alg="ed25519";expires=(\d+);nonce="([A-Za-z0-9+/]+={0,2})";tag="web-bot-auth")$`)
	agentShape = regexp.MustCompile(`^(?:([a-z][a-z0-9]*)=)?"(https://[a-z0-9.:-]+)"$`)
)

// readSigned checks the signature of a received request on its own: it shares
// nothing with the package but what it is given, and refuses whatever a Signer
// has no reason to send.
func readSigned(r *http.Request, tls bool, public ed25519.PublicKey, now time.Time) (agent, nonce string, err error) {
	for _, name := range []string{"Signature", "Signature-Input", "Signature-Agent"} {
		if n := len(r.Header.Values(name)); n != 1 {
			return "", "", fmt.Errorf("%s stands %d times", name, n)
		}
	}
	in := inputShape.FindStringSubmatch(r.Header.Get("Signature-Input"))
	if in == nil {
		return "", "", fmt.Errorf("Signature-Input: %s", r.Header.Get("Signature-Input"))
	}
	ag := agentShape.FindStringSubmatch(r.Header.Get("Signature-Agent"))
	if ag == nil {
		return "", "", fmt.Errorf("Signature-Agent: %s", r.Header.Get("Signature-Agent"))
	}
	value := strings.TrimPrefix(r.Header.Get("Signature"), in[1]+"=:")
	octets, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(value, ":"))
	if err != nil || !strings.HasSuffix(value, ":") {
		return "", "", fmt.Errorf("Signature: %s", value)
	}
	component := `"signature-agent"`
	if ag[1] != "" {
		component += `;key="` + ag[1] + `"`
	}
	if in[3] != `"@authority" `+component {
		return "", "", fmt.Errorf("covers %s", in[3])
	}
	created, _ := strconv.ParseInt(in[4], 10, 64)
	expires, _ := strconv.ParseInt(in[6], 10, 64)
	if created > now.Unix() || expires <= now.Unix() || expires-created > 300 {
		return "", "", fmt.Errorf("from %d to %d, now %d", created, expires, now.Unix())
	}
	host := strings.ToLower(r.Host)
	if tls {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	lines := []string{`"@authority": ` + host, component + `: "` + ag[2] + `"`, `"@signature-params": ` + in[2]}
	if !ed25519.Verify(public, []byte(strings.Join(lines, "\n")), octets) {
		return "", "", fmt.Errorf("not signed so:\n%s", strings.Join(lines, "\n"))
	}
	return ag[2], in[7], nil
}
