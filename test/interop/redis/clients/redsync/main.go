// redsync, behind the lines of README.md. usage: redsync PORT[,PORT…]
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	goredislib "github.com/redis/go-redis/v9"
)

type client struct {
	sync  *redsync.Redsync
	mutex *redsync.Mutex
}

func (c *client) acquire(name string, ttl, wait time.Duration) (bool, error) {
	const delay = 5 * time.Millisecond
	c.mutex = c.sync.NewMutex(name, redsync.WithExpiry(ttl), redsync.WithTries(int(wait/delay)+1), redsync.WithRetryDelay(delay))
	err := c.mutex.Lock()
	var taken *redsync.ErrTaken
	if errors.Is(err, redsync.ErrFailed) || errors.As(err, &taken) {
		return false, nil
	}
	return err == nil, err
}

func (c *client) release() (bool, error) {
	ok, err := c.mutex.Unlock()
	var taken *redsync.ErrTaken
	if errors.Is(err, redsync.ErrLockAlreadyExpired) || errors.As(err, &taken) {
		return false, nil
	}
	return ok, err
}

func (c *client) stress(name string, ttl time.Duration, seconds float64, folder string) string {
	inside := filepath.Join(folder, "inside")
	count := 0
	for until := time.Now().Add(time.Duration(seconds * float64(time.Second))); time.Now().Before(until); {
		held, err := c.acquire(name, ttl, time.Second)
		if err != nil {
			return "error " + err.Error()
		}
		if !held {
			continue
		}
		if os.Mkdir(inside, 0o700) != nil {
			return "overlap"
		}
		time.Sleep(time.Millisecond)
		os.Remove(inside)
		if _, err := c.release(); err != nil {
			return "error " + err.Error()
		}
		count++
	}
	return fmt.Sprintf("done %d", count)
}

func milliseconds(text string) time.Duration {
	n, _ := strconv.Atoi(text)
	return time.Duration(n) * time.Millisecond
}

func word(yes bool, err error, ifYes, ifNo string) string {
	if err != nil {
		return "error " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	if yes {
		return ifYes
	}
	return ifNo
}

func (c *client) answer(args []string) string {
	switch args[0] {
	case "acquire":
		held, err := c.acquire(args[1], milliseconds(args[2]), milliseconds(args[3]))
		return word(held, err, "held", "busy")
	case "release":
		ok, err := c.release()
		return word(ok, err, "released", "lost")
	case "stress":
		seconds, _ := strconv.ParseFloat(args[3], 64)
		return c.stress(args[1], milliseconds(args[2]), seconds, args[4])
	}
	return "error unknown verb " + args[0]
}

func main() {
	ports := strings.Split(os.Args[1], ",")
	var pools []redis.Pool
	for _, port := range ports {
		options := goredislib.Options{Addr: "127.0.0.1:" + port}
		if len(ports) > 1 {
			options.MaxRetries = -1 // the other nodes are what a retry is
		}
		pools = append(pools, goredis.NewPool(goredislib.NewClient(&options)))
	}
	c := &client{sync: redsync.New(pools...)}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(c.answer(strings.Fields(lines.Text())))
	}
}
