"""The clock process: does something every minute."""

import time

while True:
    print(time.strftime("it is %H:%M"), flush=True)
    time.sleep(60 - time.time() % 60)
