package politeness

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
)

// What an address is to DialControl.
const (
	publicAddress = "public"
	localAddress  = "local" // passes with allowPrivate
	neverAddress  = "never"
)

func judged(address string) (verdict string, refusal error) {
	strict := DialControl(false)("tcp", address, nil)
	loose := DialControl(true)("tcp", address, nil)
	switch {
	case strict == nil && loose == nil:
		return publicAddress, nil
	case strict == nil:
		return "only public", loose
	case loose == nil:
		return localAddress, strict
	}
	return neverAddress, strict
}

func TestDialControl(t *testing.T) {
	for want, addresses := range map[string][]string{
		publicAddress: {
			"93.184.216.34:80", "8.8.8.8:443", "[2606:4700::1111]:443", "[2a00:1450::1]:80",
			"172.15.255.255:80", "172.32.0.1:80", "100.63.255.255:80", "100.128.0.1:80", "168.63.129.15:80",
			"[64:ff9b::808:808]:80", "[::ffff:8.8.8.8]:80", "[2001:200::1]:80", "[3ffe::1]:80",
		},
		localAddress: {
			"127.0.0.1:80", "127.9.8.7:80", "[::1]:80", "10.1.2.3:80", "172.16.0.1:80", "172.31.255.255:80",
			"192.168.0.1:80", "100.64.0.1:80", "100.127.255.255:80", "169.254.1.1:80", "[fe80::1%eth0]:80",
			"[fc00::1]:80", "[fd12:3456::1]:80", "[fec0::1]:80", "192.0.0.8:80", "192.0.2.1:80",
			"198.51.100.1:80", "203.0.113.9:80", "198.18.0.1:80", "198.19.255.255:80", "240.0.0.1:80",
			"192.88.99.1:80", "[2001:db8::1]:80", "[2001::1]:80", "[3fff::1]:80", "[100::1]:80",
			"[100:0:0:1::1]:80", "[5f00::1]:80", "[4000::1]:80",
			"[::ffff:127.0.0.1]:80", "[::ffff:10.0.0.1]:80", "[::127.0.0.1]:80", "[64:ff9b::7f00:1]:80",
			"[64:ff9b::a00:1]:80", "[64:ff9b:1::a00:1]:80", "[2002:7f00:1::]:80", "[::ffff:0:127.0.0.1]:80",
			// Ways to public addresses that no public server has any more.
			"[64:ff9b:1::808:808]:80", "[2002:808:808::1]:80", "[::8.8.8.8]:80", "[::ffff:0:8.8.8.8]:80",
		},
		neverAddress: {
			"169.254.169.254:80", "169.254.170.2:80", "169.254.170.23:80", "169.254.0.23:80", "169.254.42.42:80",
			"100.100.100.200:80", "168.63.129.16:80", "192.0.0.192:80", "[fd00:ec2::254]:80", "[fd00:ec2::23]:80",
			"[fd20:ce::254]:80", "[fd00:42::42]:80", "[fe80::a9fe:a9fe]:80", "[fe80::a9fe:a9fe%eth0]:80",
			"[::ffff:169.254.169.254]:80", "[64:ff9b::a9fe:a9fe]:80", "[64:ff9b:1::a9fe:a9fe]:80",
			"[2002:a9fe:a9fe::1]:80", "[::169.254.169.254]:80", "[::ffff:0:169.254.169.254]:80",
			"0.0.0.0:80", "0.1.2.3:80", "[::]:80", "[::ffff:0.0.0.0]:80", "224.0.0.1:80", "239.255.255.255:80",
			"[ff02::1]:80", "255.255.255.255:80", "[2a00:1450::1%eth0]:80", "[::1%lo]:80",
			"localhost:80", "", "127.0.0.1", "/run/some.sock", "0x7f000001:80", "2130706433:80", "0177.0.0.1:80",
		},
	} {
		for _, address := range addresses {
			got, refusal := judged(address)
			if got != want {
				t.Errorf("%s: %s, want %s (%v)", address, got, want, refusal)
			}
			if refusal != nil && !errors.Is(refusal, ErrPrivateAddress) {
				t.Errorf("%s: %v", address, refusal)
			}
		}
	}
}

// special are the two registries of IANA as of 2025 less what they call
// globally reachable, and the multicast space.
var special = []string{
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/29",
	"192.0.0.8/32", "192.0.0.170/31", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
	"::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/32", "2001:2::/48", "2001:10::/28",
	"2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "ff00::/8",
}

// reachable is what the registries call globally reachable, and what is listed
// nowhere.
var reachable = []string{
	"192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24", "2620:4f:8000::/48",
	"1.0.0.0/8", "9.0.0.0/8", "11.0.0.0/8", "126.0.0.0/8", "128.0.0.0/8", "172.64.0.0/10", "192.1.0.0/16",
	"198.20.0.0/14", "223.0.0.0/8", "2400::/12", "2600::/12", "2a00::/12",
}

// Every address of a special range is refused, its ends among them, and what
// lies beside them passes; so does the same wrapped up as an IPv6 address.
func TestDialControlFollowsTheRegistries(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	check := func(prefix string, refused bool) {
		p := netip.MustParsePrefix(prefix)
		for i := range 200 {
			a := anyOf(p, r)
			switch i {
			case 0:
				a = p.Addr()
			case 1:
				a = last(p)
			}
			forms := []netip.Addr{a}
			if a.Is4() {
				forms = append(forms, netip.AddrFrom16(a.As16()), netip.MustParseAddr("64:ff9b::"+a.String()))
			}
			for _, form := range forms {
				err := DialControl(false)("tcp", netip.AddrPortFrom(form, 80).String(), nil)
				if (err != nil) != refused {
					t.Fatalf("%s of %s: %v, want it refused: %v", form, prefix, err, refused)
				}
			}
		}
	}
	for _, p := range special {
		check(p, true)
	}
	for _, p := range reachable {
		check(p, false)
	}
}

// anyOf is some address of a range.
func anyOf(p netip.Prefix, r *rand.Rand) netip.Addr {
	b := p.Addr().AsSlice()
	for i := range b {
		keep := min(max(p.Bits()-8*i, 0), 8)
		b[i] |= byte(r.Uint32()) & (0xff >> keep)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// last is the highest address of a range.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := range b {
		b[i] |= 0xff >> min(max(p.Bits()-8*i, 0), 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// The check stands after the name was resolved, whatever the name was.
func TestDialControlStandsAfterDNS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	d := net.Dialer{Control: DialControl(false)}
	if conn, err := d.DialContext(t.Context(), "tcp", "localhost:"+port); !errors.Is(err, ErrPrivateAddress) {
		if conn != nil {
			_ = conn.Close()
		}
		t.Errorf("dialled localhost: %v", err)
	}
	d.Control = DialControl(true)
	conn, err := d.DialContext(t.Context(), "tcp", "localhost:"+port)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

// Whatever is dialled, nothing passes strictly that does not pass loosely, no
// way of writing an IPv4 address in IPv6 is judged more kindly than the address
// itself, and what the standard library knows to be special is refused.
func FuzzDialControl(f *testing.F) {
	for _, s := range []string{
		"127.0.0.1:80", "[::ffff:127.0.0.1]:80", "[64:ff9b::a00:1]:80", "[fe80::1%eth0]:80", "[2002:7f00:1::]:443",
		"8.8.8.8:53", "[2606:4700::1111]:443", "0x7f.1:80", "017700000001:80", "localhost:80", "[::]:0", "127.1:80", "[::1%25lo]:80",
	} {
		f.Add(s, uint32(0x7f000001))
	}
	f.Fuzz(func(t *testing.T, address string, v4 uint32) {
		strict := DialControl(false)("tcp", address, nil)
		loose := DialControl(true)("tcp", address, nil)
		if strict == nil && loose != nil {
			t.Fatalf("%q passes only where private addresses are refused: %v", address, loose)
		}
		for _, err := range []error{strict, loose} {
			if err != nil && !errors.Is(err, ErrPrivateAddress) {
				t.Fatalf("%q: %v is no ErrPrivateAddress", address, err)
			}
		}
		if ap, err := netip.ParseAddrPort(address); err == nil && strict == nil {
			if a := ap.Addr(); !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" {
				t.Fatalf("%q passes", address)
			}
		}
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], v4)
		plain := netip.AddrFrom4(b)
		for _, allow := range []bool{false, true} {
			if reserved(plain, allow) == "" {
				continue
			}
			for _, c := range carriers {
				whole := c.prefix.Addr().As16()
				copy(whole[c.at:], b[:])
				if a := netip.AddrFrom16(whole); reserved(a, allow) == "" {
					// ::1 is IPv6's own loopback, and not a way to 0.0.0.1.
					if a != netip.IPv6Loopback() {
						t.Fatalf("%s is refused and %s is not (private addresses allowed: %v)", plain, a, allow)
					}
				}
			}
		}
	})
}
