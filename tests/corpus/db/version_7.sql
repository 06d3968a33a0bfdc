-- A database of version 7 (slapos.core 0.27): no slaves, no states, and one computer without name.
BEGIN TRANSACTION;
CREATE TABLE software7 (url VARCHAR(255) UNIQUE);
INSERT INTO software7 VALUES('http://example.org/a/software.cfg');
INSERT INTO software7 VALUES('/srv/b/software.cfg');
CREATE TABLE computer7 (
  address VARCHAR(255),
  netmask VARCHAR(255),
  CONSTRAINT uniq PRIMARY KEY (address, netmask));
INSERT INTO computer7 VALUES('127.0.0.1','255.255.255.255');
INSERT INTO computer7 VALUES('10.0.0.1','255.255.255.0');
CREATE TABLE partition7 (
  reference VARCHAR(255) UNIQUE,
  slap_state VARCHAR(255) DEFAULT 'free',
  software_release VARCHAR(255),
  xml TEXT,
  connection_xml TEXT,
  software_type VARCHAR(255),
  partition_reference VARCHAR(255),
  requested_by VARCHAR(255)
);
INSERT INTO partition7 VALUES('slappart0','busy','http://example.org/a/software.cfg','<?xml version=''1.0'' encoding=''utf-8''?>
<instance>
  <parameter id="name">Grüße &amp; Küsse</parameter>
</instance>
','<instance/>','RootSoftwareInstance','root',NULL);
INSERT INTO partition7 VALUES('slappart1','busy','/srv/b/software.cfg','<instance/>',NULL,'database','child','slappart0');
INSERT INTO partition7 VALUES('slappart2','busy','/srv/b/software.cfg','<instance/>',NULL,'database','grandchild','slappart1');
INSERT INTO partition7 VALUES('slappart3','free',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE partition_network7 (
  partition_reference VARCHAR(255),
  reference VARCHAR(255),
  address VARCHAR(255),
  netmask VARCHAR(255)
);
INSERT INTO partition_network7 VALUES('slappart0','slaptap0','10.0.0.2','255.255.255.255');
INSERT INTO partition_network7 VALUES('slappart0','slaptap0','fd00::2','ffff:ffff:ffff::');
INSERT INTO partition_network7 VALUES('slappart1','slaptap1','10.0.0.3','255.255.255.255');
COMMIT;
