package politeness

import (
	"errors"
	"net"
	"testing"
)

func TestDialControl(t *testing.T) {
	const (
		public = "public"
		local  = "local" // passes with allowPrivate
		never  = "never"
	)
	for address, want := range map[string]string{
		"93.184.216.34:80": public, "8.8.8.8:443": public, "[2606:4700::1111]:443": public, "[2a00:1450::1]:80": public,
		"[64:ff9b::808:808]:80": public, "[2002:808:808::1]:80": public, "[::ffff:8.8.8.8]:80": public,
		"172.15.255.255:80": public, "172.32.0.1:80": public, "100.63.255.255:80": public, "100.128.0.1:80": public,
		"127.0.0.1:80": local, "127.9.8.7:80": local, "[::1]:80": local, "10.1.2.3:80": local, "172.16.0.1:80": local,
		"172.31.255.255:80": local, "192.168.0.1:80": local, "100.64.0.1:80": local, "100.127.255.255:80": local,
		"169.254.1.1:80": local, "[fe80::1%eth0]:80": local, "[fc00::1]:80": local, "[fd12:3456::1]:80": local, "[fec0::1]:80": local,
		"192.0.0.8:80": local, "192.0.2.1:80": local, "198.51.100.1:80": local, "203.0.113.9:80": local, "198.18.0.1:80": local,
		"198.19.255.255:80": local, "240.0.0.1:80": local, "192.88.99.1:80": local, "[2001:db8::1]:80": local, "[2001::1]:80": local,
		"[3fff::1]:80": local, "[100::1]:80": local, "[5f00::1]:80": local, "[64:ff9b:1::1]:80": local,
		"[::ffff:127.0.0.1]:80": local, "[::ffff:10.0.0.1]:80": local, "[::127.0.0.1]:80": local, "[64:ff9b::7f00:1]:80": local,
		"[64:ff9b::a00:1]:80": local, "[2002:7f00:1::]:80": local, "[::ffff:0:127.0.0.1]:80": local,
		"169.254.169.254:80": never, "[::ffff:169.254.169.254]:80": never, "[64:ff9b::a9fe:a9fe]:80": never,
		"[fd00:ec2::254]:80": never, "100.100.100.200:80": never, "0.0.0.0:80": never, "0.1.2.3:80": never, "[::]:80": never,
		"224.0.0.1:80": never, "239.255.255.255:80": never, "[ff02::1]:80": never, "255.255.255.255:80": never,
		"[::ffff:0.0.0.0]:80": never, "localhost:80": never, "": never, "127.0.0.1": never, "/run/some.sock": never,
	} {
		strict := DialControl(false)("tcp", address, nil)
		loose := DialControl(true)("tcp", address, nil)
		got := never
		switch {
		case strict == nil && loose == nil:
			got = public
		case strict != nil && loose == nil:
			got = local
		case strict == nil:
			got = "only public"
		}
		if got != want {
			t.Errorf("%s: %s, want %s (%v; %v)", address, got, want, strict, loose)
		}
		if strict != nil && !errors.Is(strict, ErrPrivateAddress) {
			t.Errorf("%s: %v", address, strict)
		}
	}
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
