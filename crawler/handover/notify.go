package handover

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// notifyIn bounds one message to the service manager.
const notifyIn = 2 * time.Second

// The states that a service manager is told of.
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
)

// Notify tells the service manager of a state, where there is one that wants to know.
func Notify(state string) error {
	to := os.Getenv("NOTIFY_SOCKET")
	if to == "" {
		return nil
	}
	if strings.HasPrefix(to, "@") { // an abstract name
		to = "\x00" + to[1:]
	}
	conn, err := net.DialTimeout("unixgram", to, notifyIn)
	if err != nil {
		return fmt.Errorf("the service manager could not be told %s: %w", state, err)
	}
	defer conn.Close()
	if err := conn.SetWriteDeadline(time.Now().Add(notifyIn)); err != nil {
		return err
	}
	_, err = conn.Write([]byte(state))
	return err
}
