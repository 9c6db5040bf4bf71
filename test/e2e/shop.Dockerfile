# What docs/examples/shop runs, where its own image, busybox, cannot be pulled. A static busybox is whatever it is called.
FROM scratch
COPY busybox /bin/busybox
COPY busybox /bin/sh
COPY busybox /bin/httpd
COPY busybox /bin/wget
