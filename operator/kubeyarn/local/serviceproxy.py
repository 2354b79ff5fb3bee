"""placeholder while the rest comes up"""
import time
while True:
    time.sleep(60)
