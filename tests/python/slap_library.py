"""Does with slapos.core's own library what instances and users do, and prints what came back."""
import json
import sys

import slapos.slap
from slapos.slap import NotFoundError

url, computer, release = sys.argv[1:]
slap = slapos.slap.slap()
slap.initializeConnection(url)
order = slap.registerOpenOrder()
told = {}

slap.registerSupply().supply(release, computer_guid=computer)
root = order.request(release, 'root', partition_parameter_kw={'name': 'Zoë & <Kō>', 'size': '3'})
told['root'] = root.getId()
told['root_state'] = root.getState()

partition = slap.registerComputerPartition(computer, root.getId())
told['parameters'] = {
    key: value for key, value in partition.getInstanceParameterDict().items() if key in ('name', 'size')
}
partition.setConnectionDict({'url': 'http://[::1]/?a=1&b=<2>'})
# The library keeps what it has read: another handle reads anew.
partition = slap.registerComputerPartition(computer, root.getId())
told['published'] = partition.getConnectionParameter('url')

child = partition.request(release, 'default', 'child', partition_parameter_kw={'of': 'root'})
told['child'] = child.getId()
told['children_differ'] = child.getId() != root.getId()
again = partition.request(release, 'default', 'child', partition_parameter_kw={'of': 'root'})
told['child_again'] = again.getId()

slave = partition.request(release, 'default', 'slave', shared=True, partition_parameter_kw={'of': 'slave'})
host = slap.registerComputerPartition(computer, slave.getId())
told['slaves'] = [one['slave_title'] for one in host.getInstanceParameterDict()['slave_instance_list']]
reference = host.getInstanceParameterDict()['slave_instance_list'][0]['slave_reference']
host.setConnectionDict({'for': 'the slave'}, slave_reference=reference)
slave = partition.request(release, 'default', 'slave', shared=True, partition_parameter_kw={'of': 'slave'})
told['slave_published'] = slave.getConnectionParameterDict().get('for')

before = partition.getInstanceParameterDict()['timestamp']
partition.bang('once more')
told['bang_is_later'] = float(
    slap.registerComputerPartition(computer, root.getId()).getInstanceParameterDict()['timestamp']
) > float(before)
partition.rename('trunk')
told['renamed'] = order.request(release, 'trunk').getId()
partition.error('it broke')
partition.started()
try:
    order.request(release, 'one too many', filter_kw={'computer_guid': 'COMP-UNKNOWN'}).getId()
except NotFoundError:
    told['nowhere'] = 'NotFoundError'
releases = slap.registerComputer(computer).getSoftwareReleaseList()
told['releases'] = [[one.getURI(), one.getState()] for one in releases]
json.dump(told, sys.stdout)
